"""Capture in the browser: frames to rows, consent at every step, and whatever else somebody may send."""

from __future__ import annotations

import struct
import threading
import zlib
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.webui.capturing import MIDDLE, Box, Seen, counted, raw, reasons, until
from tests.webui.site import Site
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Reason
from tracker.fer.engine import Engine
from tracker.lab.portrait import portrait
from tracker.workflows import consenting, enrolment, erasure, showing, timeline
from tracker.workflows.ingest import Reader
from tracker.workflows.ingest.running import Running

ASIDE: Box = (260.0, 20.0, 50.0, 60.0)
BESIDE: Box = (230.0, 60.0, 60.0, 70.0)


@pytest.fixture
def seen() -> Seen:
    return Seen()


def jpeg(width: int = 320, height: int = 240) -> bytes:
    picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)[20:260, 100:420]
    done, data = cv2.imencode(".jpg", cv2.resize(picture, (width, height)))
    assert done
    return data.tobytes()


FRAME = jpeg()


def ms(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


class Page:
    """What the page's script does."""

    def __init__(self, site: Site, name: str = "ada") -> None:
        self.site, self.visitor = site, site.logged_in(name)
        self.capture, self.number = "", 0

    def look(self, data: bytes = FRAME, at: datetime | None = None, **headers: str) -> TestResponse:
        sent = {"X-Capture-Time": str(ms(at or self.site.now)), **headers}
        return raw(self.visitor, "/capture/look", data, sent)

    def start(self, face: int = 0, *, after: float = 0.0) -> TestResponse:
        found = self.look().json
        assert found is not None
        self.site.wait(timedelta(seconds=after))
        self.capture, self.number = found["capture"], 0
        return self.choose(self.capture, face)

    def choose(self, capture: str, face: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.visitor._token, "X-Capture-Time": str(ms(self.site.now))}
        return self.visitor.client.post(
            "/capture/start", json={"capture": capture, "face": face}, headers=headers
        )

    def send(self, data: bytes = FRAME, *, after: float = 0.4, number: int | None = None) -> TestResponse:
        self.site.wait(timedelta(seconds=after))
        self.number = self.number + 1 if number is None else number
        headers = {
            "X-Capture": self.capture,
            "X-Capture-Frame": str(self.number),
            "X-Capture-Time": str(ms(self.site.now)),
        }
        return raw(self.visitor, "/capture/frames", data, headers)

    def see(self, times: int = 1, **more: Any) -> None:
        """Send frames, each after the one before was looked at."""
        for _ in range(times):
            before = self.running().capture.progress.taken
            assert self.send(**more).status_code == 200
            until(partial(self._taken_more_than, before))

    def _taken_more_than(self, count: int) -> bool:
        running = self.running()
        return running.capture.progress.taken > count and not running.busy

    def stop(self) -> TestResponse:
        return self.visitor.json("/capture/stop", {"capture": self.capture})

    def running(self) -> Any:
        captures = self.site.app.extensions["affect-tracker"].captures
        return captures.running[self.site.access.person("ada").id]


def test_from_this_is_me_to_rows_and_an_estimate(capturing: Site) -> None:
    ada = capturing.person()
    page = Page(capturing)
    assert "Turn the camera on" in page.visitor.get("/capture").text
    found = page.look().json
    assert found is not None
    assert found["faces"] == [{"x": 0.25, "y": 20 / 240, "width": 0.375, "height": 0.625}]
    assert counted(capturing, "observations") == 0, "looking stores nothing"
    assert page.start().status_code == 200
    page.see(3)
    told = page.stop().json
    assert told is not None
    assert (told["taken"], told["stored"], told["dropped"]) == (3, 3, 0)
    assert told["looks"].startswith(("looks like ", "unclear: "))
    assert told["own"] is True, "ada has a learner of her own, which spoke"
    assert reasons(capturing, ada) == [None, None, None]
    assert counted(capturing, "estimates") == 6
    assert counted(capturing, "crops") == 3, "she allows that crops are kept"
    with capturing.access.database.read() as connection:
        rows = connection.execute(text("SELECT DISTINCT source, time_source FROM observations")).all()
    ((source, clock),) = rows
    assert clock == "clock"
    assert page.capture not in source


def test_a_live_series_is_stored_while_it_goes_on(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    until(lambda: counted(lite_capturing, "observations") == 1)
    told = page.send().json
    assert told is not None
    assert told["stored"] == 1
    assert told["looks"]


def test_no_crop_is_kept_without_its_scope(lite_capturing: Site) -> None:
    lite_capturing.person(scopes=(Scope.AFFECT_SERIES,))
    page = Page(lite_capturing)
    page.start()
    page.see(2)
    assert page.stop().json["own"] is False  # type: ignore[index]
    assert (counted(lite_capturing, "observations"), counted(lite_capturing, "crops")) == (2, 0)


def test_frames_are_kept_as_video_with_whoever_else_is_there_covered(capturing: Site, seen: Seen) -> None:
    ada = capturing.person(scopes=(Scope.AFFECT_SERIES, Scope.RAW_VIDEO))
    page = Page(capturing)
    assert "all but a rectangle around your head is covered" in page.visitor.get("/capture").text
    page.start()
    seen.boxes = (MIDDLE, BESIDE)
    page.see(3)
    told = page.stop().json
    assert told is not None
    assert (told["stored"], told["filmed"], told["unfilmed"]) == (3, counted(capturing, "frames"), 0)
    assert (counted(capturing, "frames"), counted(capturing, "crops")) == (told["filmed"], 0)
    assert told["filmed"] >= 1
    pictures = frames_of(capturing, ada)
    assert len(pictures) == told["filmed"]
    for picture in pictures:
        x, y, w, h = map(int, BESIDE)
        assert (np.abs(picture[y : y + h, x : x + w].astype(int) - 128) <= 3).all(), "somebody else is filled"
        assert np.abs(picture[60:130, 100:150].astype(int) - 128).max() > 60, "and ada is to be seen"


def test_no_frame_is_kept_without_its_scope_or_after_it_was_taken_back(lite_capturing: Site) -> None:
    site = lite_capturing
    ada = site.person(scopes=(Scope.AFFECT_SERIES, Scope.RAW_VIDEO))
    page = Page(site)
    page.start()
    page.see()
    until(lambda: counted(site, "observations") == 1)
    before = counted(site, "frames")
    assert before == 1
    consenting.withdraw(site.access, ada, [Scope.RAW_VIDEO], site.now, recorder=Recorder.PARTICIPANT)
    page.see(2)
    page.stop()
    assert (counted(site, "observations"), counted(site, "frames")) == (3, before)
    assert "a rectangle around your head" not in page.visitor.get("/capture").text


def frames_of(site: Site, who: Person) -> list[np.ndarray]:
    """Somebody's kept frames, as they see them."""
    with site.access.database.read() as connection:
        numbers = (
            connection.execute(text("SELECT observation FROM frames ORDER BY observation")).scalars().all()
        )
    found = []
    for number in numbers:
        jpeg = showing.own_frame(site.access, who, number, site.now)
        assert jpeg is not None
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        found.append(np.asarray(picture))
    return found


def test_without_consent_nothing_is_looked_at(capturing: Site, seen: Seen) -> None:
    capturing.person(scopes=(Scope.CONTEXT,))
    page = Page(capturing)
    shown = page.visitor.get("/capture").text
    assert "You have not allowed “Keep my series of estimates”" in shown
    assert "data-capture" not in shown, "there is nothing to start"
    assert "capture.js" not in shown
    answer = page.look()
    assert (answer.status_code, "not allowed" in answer.json["error"]) == (403, True)  # type: ignore[index]
    assert page.choose("x", 0).status_code == 403
    assert page.send().status_code == 409
    assert seen.calls == 0


def test_a_withdrawal_in_the_middle_ends_it_and_nothing_comes_after(capturing: Site, seen: Seen) -> None:
    ada = capturing.person()
    page = Page(capturing)
    page.start()
    page.see(2)
    until(lambda: counted(capturing, "observations") == 2)
    calls = seen.calls
    consenting.withdraw(
        capturing.access, ada, [Scope.AFFECT_SERIES], capturing.now, recorder=Recorder.PARTICIPANT
    )
    before = {table: counted(capturing, table) for table in ("observations", "estimates", "crops")}
    page.send()
    until(lambda: page.send().status_code == 403)
    answer = page.send()
    assert answer.status_code == 403
    assert answer.json["ended"] == "refused"  # type: ignore[index]
    assert "You have not allowed" in answer.json["error"]  # type: ignore[index]
    assert seen.calls == calls, "not a pixel was looked at after the withdrawal"
    assert {table: counted(capturing, table) for table in before} == before
    assert page.look().status_code == 403


def test_what_was_seen_before_a_withdrawal_and_not_stored_is_dropped(
    lite_capturing: Site, seen: Seen
) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    seen.open.clear()
    page.send()
    consenting.withdraw(
        lite_capturing.access, ada, [Scope.AFFECT_SERIES], lite_capturing.now, recorder=Recorder.PARTICIPANT
    )
    seen.open.set()
    until(lambda: page.send().status_code == 403)
    assert counted(lite_capturing, "observations") == 0


def test_a_pause_of_the_person_ends_it(lite_capturing: Site) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    enrolment.pause(lite_capturing.access, ada, lite_capturing.now)
    until(lambda: page.send().status_code == 403)
    assert "You paused storing" in page.send().json["error"]  # type: ignore[index]


def test_an_erasure_ends_it(lite_capturing: Site) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    capture = page.running()
    erasure.erase_person(lite_capturing.access, ada, lite_capturing.now)
    assert page.send().status_code in (401, 403)
    until(lambda: not capture.capture.rows)
    assert counted(lite_capturing, "observations") == 0


def test_logging_out_ends_it(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    page.visitor.post("/logout")
    page.visitor._token = ""
    answer = page.send()
    assert answer.status_code in (401, 403)
    assert answer.is_json


def test_only_the_face_that_was_shown_is_read(lite_capturing: Site, seen: Seen, engine: Engine) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    seen.boxes = (ASIDE, MIDDLE)
    assert page.start(face=1).status_code == 200
    page.see(2)
    seen.boxes = (ASIDE,)
    page.see(2)
    seen.boxes = ()
    page.see()
    page.stop()
    assert reasons(lite_capturing, ada) == [None, None, Reason.AMBIGUOUS, Reason.AMBIGUOUS, Reason.NO_FACE]
    with lite_capturing.access.database.read() as connection:
        boxes = connection.execute(text("SELECT DISTINCT box_x, faces FROM observations ORDER BY id")).all()
    assert {tuple(row) for row in boxes} == {(MIDDLE[0], 2), (None, 1), (None, 0)}


def test_whoever_sits_down_later_is_not_read_even_alone(lite_capturing: Site, seen: Seen) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    seen.boxes = ()
    page.see()
    seen.boxes = (MIDDLE,)
    page.see(after=12)
    told = page.stop().json
    assert told is not None
    assert told["lost"] is True, "she is asked again"
    assert reasons(lite_capturing, ada) == [None, Reason.NO_FACE, Reason.AMBIGUOUS]


def test_who_is_alone_may_take_their_time_to_answer_and_among_others_not(
    lite_capturing: Site, seen: Seen
) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start(after=40)
    page.see()
    page.stop()
    seen.boxes = (ASIDE, MIDDLE)
    page.start(face=1, after=20)
    page.see()
    page.stop()
    assert reasons(lite_capturing, ada) == [None, Reason.AMBIGUOUS]


def test_a_turned_phone_asks_again(lite_capturing: Site) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    page.see(data=jpeg(240, 320))
    page.stop()
    assert reasons(lite_capturing, ada) == [None, Reason.AMBIGUOUS]


def test_the_newest_frame_wins_and_the_rest_is_one_row_and_a_count(capturing: Site, seen: Seen) -> None:
    ada = capturing.person()
    page = Page(capturing)
    page.start()
    page.see()
    seen.open.clear()
    page.send()
    until(lambda: page.running().since is None)
    captures = capturing.app.extensions["affect-tracker"].captures
    for _ in range(5):
        page.send()
        assert captures.waiting() <= 1
    seen.open.set()
    until(lambda: page.running().capture.progress.taken == 3 and not page.running().busy)
    told = page.stop().json
    assert told is not None
    assert (told["taken"], told["dropped"], told["stored"]) == (3, 4, 4)
    assert reasons(capturing, ada) == [None, None, Reason.OVERLOAD, None]


def test_a_second_tab_takes_over_and_the_first_is_told(capturing: Site) -> None:
    ada = capturing.person()
    first, second = Page(capturing), Page(capturing)
    first.start()
    first.see(2)
    assert second.start().status_code == 200
    assert counted(capturing, "observations") == 2, "what the first saw is stored"
    answer = first.send()
    assert answer.status_code == 409
    assert answer.json["ended"] == "elsewhere"  # type: ignore[index]
    assert "another tab" in answer.json["error"]  # type: ignore[index]
    second.see(2)
    second.stop()
    assert reasons(capturing, ada) == [None] * 4


def test_of_two_tabs_that_begin_at_once_one_stays_and_the_other_is_told(
    lite_capturing: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite_capturing.person()
    first, second = Page(lite_capturing), Page(lite_capturing)
    late: list[threading.Thread] = []

    def slowly(*args: Any) -> Running:
        if not late:
            late.append(threading.Thread(target=second.start))
            late[0].start()
            late[0].join(0.5)  # as long as it gets, where nothing keeps it out
        return Running(*args)

    monkeypatch.setattr("tracker.workflows.ingest.live.Running", slowly)
    assert first.start().status_code == 200
    late[0].join()
    told = {page.send().json.get("ended") for page in (first, second)}  # type: ignore[union-attr]
    assert told == {None, "elsewhere"}


def test_a_replayed_frame_adds_nothing(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see(2)
    at = lite_capturing.now
    for number in (1, 2):
        assert page.send(number=number, after=0).status_code == 200
    assert page.send(number=3, after=0).status_code == 200, "a new number over an old time"
    assert lite_capturing.now == at
    told = page.stop().json
    assert told is not None
    assert (told["taken"], told["stored"]) == (2, 2)


def test_somebody_elses_capture_is_none_of_mine(lite_capturing: Site) -> None:
    lite_capturing.person()
    lite_capturing.person("bob")
    ada, bob = Page(lite_capturing), Page(lite_capturing, "bob")
    ada.start()
    bob.capture = ada.capture
    answer = bob.send()
    assert (answer.status_code, answer.json["ended"]) == (409, "unknown")  # type: ignore[index]
    found = ada.look().json
    assert found is not None
    assert bob.choose(found["capture"], 0).status_code == 409


def test_an_old_picture_cannot_be_chosen_from(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    old = page.look().json
    page.look()
    assert old is not None
    answer = page.choose(old["capture"], 0)
    assert (answer.status_code, answer.json["ended"]) == (409, "look")  # type: ignore[index]
    page.start()
    assert page.choose(page.capture, 0).status_code == 409


def test_a_face_that_is_not_there_is_nobodys(lite_capturing: Site, seen: Seen) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    for face in (1, -1, 10**9):
        assert page.start(face=face).status_code == 409
    for wrong in ("0", None, 1.5):
        capture = page.look().json["capture"]  # type: ignore[index]
        assert page.choose(capture, wrong).status_code == 400
    seen.boxes = ()
    assert page.start().status_code == 409


def png(width: int, height: int) -> bytes:
    """A whole PNG of a stated size whose content is nearly nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (b"", 422, "empty"),
        (b"hello", 415, "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "no picture"),
        (b"BM" + bytes(100), 415, "no picture"),
        (FRAME[: len(FRAME) // 2], 422, "truncated"),
        (png(30_000, 30_000), 413, "pixels"),
        (png(4_000_000_000, 4_000_000_000), 413, "pixels"),
        (FRAME[:-2] + b"\xff\xda\x00\x02" * 100 + FRAME[-2:], 413, "scans"),
        (bytes(1024 * 1024 + 1), 413, "1024 KiB"),
    ],
    ids=["empty", "text", "svg", "bmp", "half", "bomb", "larger bomb", "scans", "heavy"],
)
def test_what_is_no_frame_is_refused_with_words(
    lite_capturing: Site, seen: Seen, data: bytes, status: int, word: str
) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    calls = seen.calls
    for answer in (page.look(data), page.send(data)):
        assert answer.status_code == status
        assert word in answer.json["error"]  # type: ignore[index]
    assert seen.calls == calls
    page.see()
    assert page.stop().json["stored"] == 1, "and the capture goes on"  # type: ignore[index]


def test_a_clock_far_off_is_refused_with_words(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    answer = page.look(at=lite_capturing.now + timedelta(hours=3))
    assert answer.status_code == 422
    assert "180 minutes ahead" in answer.json["error"]  # type: ignore[index]
    assert "behind" in page.look(at=lite_capturing.now - timedelta(days=400)).json["error"]  # type: ignore[index]
    page.start()
    lite_capturing.now += timedelta(minutes=10)
    headers = {"X-Capture": page.capture, "X-Capture-Frame": "1"}
    for off in (timedelta(minutes=1), timedelta(hours=-9), timedelta(days=20_000)):
        time_ = {"X-Capture-Time": str(ms(lite_capturing.now + off))}
        answer = raw(page.visitor, "/capture/frames", FRAME, headers | time_)
        assert answer.status_code == 422, off
        assert "clock" in answer.json["error"]  # type: ignore[index]
    for nonsense in ("", "-1", "1e9", "٣", "9" * 30, "x"):
        answer = raw(
            page.visitor,
            "/capture/frames",
            FRAME,
            headers | {"X-Capture-Time": nonsense.encode().decode("latin-1")},
        )
        assert answer.status_code == 400, nonsense
    assert counted(lite_capturing, "observations") == 0


def test_a_first_picture_that_took_long_to_arrive_spoils_no_later_one(lite_capturing: Site) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    taken = lite_capturing.now
    lite_capturing.wait(timedelta(seconds=20))
    found = page.look(at=taken).json
    assert found is not None
    page.capture = found["capture"]
    assert page.choose(page.capture, 0).status_code == 200
    page.see(4)
    page.stop()
    with timeline.moments(lite_capturing.access, ada, lite_capturing.now) as moments:
        instants = [moment.at for moment in moments]
    assert reasons(lite_capturing, ada) == [None] * 4
    assert instants == [taken + timedelta(seconds=20 + 0.4 * n) for n in range(1, 5)]


def test_forged_and_foreign_requests_are_refused(lite_capturing: Site, seen: Seen) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    calls = seen.calls
    for path in ("/capture/look", "/capture/frames", "/capture/start", "/capture/stop", "/capture/context"):
        assert page.visitor.client.post(path, data=FRAME).status_code == 403, "without a token"
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert raw(page.visitor, path, FRAME, foreign).status_code == 403, "from another site"
        assert lite_capturing.visitor().client.post(path, data=FRAME).status_code in (303, 401, 403)
    assert seen.calls == calls


def test_one_tap_sets_the_context(capturing: Site) -> None:
    capturing.person()
    page = Page(capturing)
    page.visitor.get("/capture")
    assert page.visitor.json("/capture/context", {"place": "home"}).json == {"kept": ["home"]}
    with capturing.access.database.read() as connection:
        assert connection.execute(text("SELECT place, activity FROM contexts")).all() == [("home", None)]
    for wrong in ({"place": "the moon"}, {}, {"mood": "sad"}, {"place": ["home"]}, [1]):
        assert page.visitor.json("/capture/context", wrong).status_code == 400, wrong


def test_the_context_needs_its_scope(lite_capturing: Site) -> None:
    lite_capturing.person(scopes=(Scope.AFFECT_SERIES,))
    page = Page(lite_capturing)
    assert "What is around you?" not in page.visitor.get("/capture").text
    assert page.visitor.json("/capture/context", {"place": "home"}).status_code == 403


def test_only_this_page_may_ask_for_the_camera(lite_capturing: Site) -> None:
    lite_capturing.person()
    page = Page(lite_capturing)
    assert "camera=(self)" in page.visitor.get("/capture").headers["Permissions-Policy"]
    assert "camera=()" in page.visitor.get("/consent").headers["Permissions-Policy"]


def test_without_anything_that_reads_faces_the_page_says_so(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    assert "reads no faces in the browser" in visitor.get("/capture").text
    visitor.get("/consent")
    assert visitor.json("/capture/start", {"capture": "x", "face": 0}).status_code == 503


def test_a_reader_that_cannot_be_loaded_is_said(sqlite_url: str, tmp_path: Path) -> None:
    def broken() -> Reader:
        raise OSError("no weights")

    site = Site(sqlite_url, tmp_path, reader=broken)
    site.person()
    answer = Page(site).look()
    assert answer.status_code == 503
    assert "cannot be read here" in answer.json["error"]  # type: ignore[index]
    site.access.close()


def test_a_page_that_went_away_ends_its_capture(lite_capturing: Site) -> None:
    ada = lite_capturing.person()
    page = Page(lite_capturing)
    page.start()
    page.see()
    until(lambda: not page.running().busy)
    page.running().heard_at -= 31
    until(lambda: not lite_capturing.app.extensions["affect-tracker"].captures.running)
    assert page.send().json["ended"] == "idle"  # type: ignore[index]
    until(lambda: reasons(lite_capturing, ada) == [None])
