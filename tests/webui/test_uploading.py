"""Clips in pieces: go on after a break, refused by content, read in the background, dropped in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.webui.capturing import Seen, counted, raw, reasons, until
from tests.webui.site import Site, Visitor
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.lab.portrait import write_clip
from tracker.workflows import consenting, erasure
from tracker.workflows.ingest import OffsetError, Stage, Upload, Uploads

PIECE = 32 * 1024


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clips") / "portrait.mp4"
    write_clip(path, 4.0)
    return path.read_bytes()


@pytest.fixture
def seen() -> Seen:
    found = Seen()
    found.boxes = ((120.0, 80.0, 200.0, 260.0),)
    return found


class Clip:
    """What the page's script does with a file."""

    def __init__(self, site: Site, content: bytes, name: str = "ada") -> None:
        self.site, self.content, self.visitor = site, content, site.logged_in(name)
        self.address = ""

    def begin(self, key: str = "clip.mp4", size: int | None = None) -> TestResponse:
        self.visitor.get("/capture")
        size = len(self.content) if size is None else size
        answer = self.visitor.json("/capture/uploads", {"key": key, "size": size})
        if answer.status_code == 200:
            self.address = f"/capture/uploads/{answer.json['upload']}"  # type: ignore[index]
        return answer

    def send(self, offset: int, piece: bytes | None = None) -> TestResponse:
        piece = self.content[offset : offset + PIECE] if piece is None else piece
        return raw(self.visitor, f"{self.address}/{offset}", piece, {})

    def send_all(self, offset: int = 0) -> None:
        while offset < len(self.content):
            offset = self.send(offset).json["offset"]  # type: ignore[index]

    def read(self, started: str | None = "2026-03-20T09:00:00+01:00", **more: Any) -> TestResponse:
        return self.visitor.json(f"{self.address}/read", {"started_at": started, **more})

    def state(self) -> dict[str, Any]:
        told = self.visitor.get(self.address).json
        assert told is not None
        return dict(told)

    def settled(self) -> dict[str, Any]:
        until(lambda: self.state()["stage"] not in ("waiting", "reading"))
        return self.state()


def uploads(site: Site) -> Uploads:
    found: Uploads = site.app.extensions["affect-tracker"].uploads
    return found


def test_a_clip_in_pieces_becomes_rows_and_is_dropped(capturing: Site, clip: bytes) -> None:
    ada = capturing.person()
    mine = Clip(capturing, clip)
    assert mine.begin().json["offset"] == 0  # type: ignore[index]
    mine.send_all()
    assert mine.state()["stage"] == "complete"
    assert mine.read().status_code == 200
    told = mine.settled()
    assert (told["stage"], told["share"], told["problem"]) == ("done", 1.0, None)
    assert told["stored"] == counted(capturing, "observations") == 20
    assert told["read"] == reasons(capturing, ada).count(None)
    assert counted(capturing, "crops") == told["read"]
    assert 0 < counted(capturing, "frames") <= told["read"]
    assert uploads(capturing).held() == 0, "its bytes are gone"


def test_moments_without_a_face_are_counted_in_words(lite_capturing: Site, clip: bytes, seen: Seen) -> None:
    seen.boxes = ()
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send_all()
    mine.read()
    told = mine.settled()
    assert (told["stage"], told["read"]) == ("done", 0)
    assert told["without"] == {"no face in view": 20}


def test_an_upload_goes_on_after_a_break_and_after_a_reload(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    offset = mine.send(0).json["offset"]  # type: ignore[index]
    assert mine.send(0).json["offset"] == offset, "a piece whose answer was lost adds nothing"  # type: ignore[index]
    wrong = mine.send(offset + 1)
    assert (wrong.status_code, wrong.json["offset"]) == (409, offset)  # type: ignore[index]
    again = Clip(lite_capturing, clip)
    told = again.begin().json
    assert told is not None
    assert (told["offset"], again.address) == (offset, mine.address)
    again.send_all(offset)
    again.read()
    assert again.settled()["stage"] == "done"


def test_another_clip_takes_the_place_of_one_that_waits(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send(0)
    address = mine.address
    assert mine.begin("other.mp4").json["offset"] == 0  # type: ignore[index]
    assert mine.visitor.get(address).status_code == 404
    assert uploads(lite_capturing).held() == 0


def test_the_same_clip_twice_adds_nothing(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    for stored, known in ((20, 0), (0, 20)):
        mine = Clip(lite_capturing, clip)
        mine.begin()
        mine.send_all()
        mine.read()
        told = mine.settled()
        assert (told["stored"], told["known"]) == (stored, known)


def test_without_a_start_it_is_asked_for_and_the_clip_waits(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send_all()
    mine.read(started="")
    told = mine.settled()
    assert (told["stage"], told["ask_start"]) == ("complete", True)
    assert "does not say when" in told["problem"]
    for wrong in ("2027-01-01T00:00:00Z", "2026-03-20T09:00:00", "yesterday"):
        assert mine.read(started=wrong).status_code == 422
    assert mine.read().status_code == 200
    assert mine.settled()["stage"] == "done"


def test_a_time_that_is_not_covered_is_said(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send_all()
    mine.read(started="2020-03-20T09:00:00Z")
    told = mine.settled()
    assert told["stage"] == "failed"
    assert "before the time from which you allow storing" in told["problem"]
    assert counted(lite_capturing, "observations") == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"hello, this is no video at all" * 20, 415),
        (b"\xff\xd8\xff" + bytes(1000), 415),
        (b"#EXTM3U\n" + bytes(999), 415),
    ],
    ids=["text", "picture", "playlist"],
)
def test_what_is_no_clip_is_refused_by_its_content(
    lite_capturing: Site, seen: Seen, content: bytes, status: int
) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, content)
    mine.begin("clip.mp4")
    answer = mine.send(0)
    assert answer.status_code == status
    assert "no video that is read" in answer.json["error"]  # type: ignore[index]
    assert (uploads(lite_capturing).held(), seen.calls) == (0, 0)


def test_a_damaged_clip_fails_with_words_and_is_dropped(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip[: len(clip) // 2])
    mine.begin()
    mine.send_all()
    mine.read()
    told = mine.settled()
    assert told["stage"] == "failed"
    assert "truncated" in told["problem"]
    assert uploads(lite_capturing).held() == 0


def test_too_much_is_refused(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    for size in (0, -1, 256 * 2**20 + 1, 10**30):
        assert mine.begin(size=size).status_code == 413, size
    for wrong in ("1", None, 1.5, True):
        assert mine.visitor.json("/capture/uploads", {"key": "k", "size": wrong}).status_code == 400
    mine.begin(size=1000)
    assert mine.send(0, clip[:1001]).status_code == 413
    mine.begin()
    assert mine.send(0, bytes(2**20 + 1)).status_code == 413


def test_what_two_people_say_their_clips_will_weigh_keeps_nobody_out(
    lite_capturing: Site, clip: bytes
) -> None:
    for name in ("ada", "bob", "eve"):
        lite_capturing.person(name)
        assert Clip(lite_capturing, clip, name).begin(size=256 * 2**20).status_code == 200


def test_several_people_cannot_fill_the_memory_and_one_of_them_gets_on(
    lite_capturing: Site, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for two whole clips: one for whoever began first, one for all others."""
    size = len(clip)
    for name, value in (("LARGEST", size), ("HELD", 2 * size), ("RESERVED", 0)):
        monkeypatch.setattr(f"tracker.workflows.ingest.uploads.{name}", value)
    for name in ("ada", "bob", "eve"):
        lite_capturing.person(name)
    ada, bob, eve = (Clip(lite_capturing, clip, name) for name in ("ada", "bob", "eve"))
    for mine in (ada, bob, eve):
        mine.begin()
    offset = 0
    for mine in (bob, eve) * 100:
        answer = mine.send(offset := mine.state()["offset"])
        if answer.status_code == 503:
            break
    else:
        raise AssertionError("the memory was filled")
    assert offset < size
    assert uploads(lite_capturing).held() <= size
    ada.send_all()
    assert uploads(lite_capturing).held() <= 2 * size
    ada.read()
    assert ada.settled()["stage"] == "done"
    bob.send_all(bob.state()["offset"])
    assert bob.state()["stage"] == "complete", "who began first of those left has room now"


def test_a_clip_that_waits_for_its_turn_is_kept_and_looked_after_while_another_is_read(
    lite_capturing: Site, clip: bytes, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.workflows.ingest.uploads.LOOK_S", 0.05)
    people = {name: lite_capturing.person(name) for name in ("ada", "bob", "eve")}
    clips = {name: Clip(lite_capturing, clip, name) for name in people}
    seen.open.clear()
    for name, mine in clips.items():
        mine.begin()
        mine.send_all()
        mine.read()
        stage = "reading" if name == "ada" else "waiting"
        until(lambda mine=mine, stage=stage: mine.state()["stage"] == stage)  # type: ignore[misc]
    of = {
        who: uploads(lite_capturing).of(who, clips[name].address.rpartition("/")[2])
        for name, who in people.items()
    }
    for held in of.values():
        held.heard_at -= 901
    _withdraw(lite_capturing, people["eve"])
    until(lambda: clips["eve"].visitor.get(clips["eve"].address).status_code == 404)
    assert clips["ada"].state()["stage"] == "reading"
    assert clips["bob"].state()["stage"] == "waiting"
    seen.open.set()
    for name in ("ada", "bob"):
        assert clips[name].settled()["stage"] == "done"


def test_without_consent_nothing_is_taken(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person(scopes=(Scope.CONTEXT,))
    assert Clip(lite_capturing, clip).begin().status_code == 403


def test_a_withdrawal_drops_what_waits(
    lite_capturing: Site, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.workflows.ingest.uploads.LOOK_S", 0.05)
    ada = lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send(0)
    assert uploads(lite_capturing).held() > 0
    _withdraw(lite_capturing, ada)
    until(lambda: uploads(lite_capturing).held() == 0)
    assert mine.visitor.get(mine.address).status_code == 404


def test_a_withdrawal_in_the_middle_of_reading_ends_it(lite_capturing: Site, clip: bytes, seen: Seen) -> None:
    ada = lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send_all()
    seen.open.clear()
    mine.read()
    until(lambda: mine.state()["stage"] == "reading")
    _withdraw(lite_capturing, ada)
    seen.open.set()
    told = mine.settled()
    assert told["stage"] == "failed"
    assert "You have not allowed" in told["problem"]
    assert counted(lite_capturing, "observations") == 0
    assert uploads(lite_capturing).held() == 0


def test_what_is_deleted_while_a_clip_is_read_does_not_come_back(
    lite_capturing: Site, clip: bytes, seen: Seen
) -> None:
    ada = lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send_all()
    seen.open.clear()
    mine.read()
    until(lambda: mine.state()["stage"] == "reading")
    lite_capturing.wait(timedelta(minutes=1))
    day = Stretch(lite_capturing.now - timedelta(days=1), lite_capturing.now)
    erasure.erase_stretch(lite_capturing.access, ada, day, lite_capturing.now)
    seen.open.set()
    told = mine.settled()
    assert "deleted for good" in told["problem"]
    assert told["stored"] == counted(lite_capturing, "observations") == 0


def test_a_clip_that_nobody_asks_for_any_more_is_dropped(
    lite_capturing: Site, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.workflows.ingest.uploads.LOOK_S", 0.05)
    ada = lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send(0)
    uploads(lite_capturing).of(ada, mine.address.rpartition("/")[2]).heard_at -= 901
    until(lambda: uploads(lite_capturing).held() == 0)


def test_a_clip_can_be_discarded_before_and_while_it_is_read(
    lite_capturing: Site, clip: bytes, seen: Seen
) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    mine.send(0)
    assert mine.visitor.json(f"{mine.address}/discard", {}).status_code == 200
    assert uploads(lite_capturing).held() == 0
    mine.begin()
    mine.send_all()
    seen.open.clear()
    mine.read()
    until(lambda: mine.state()["stage"] == "reading")
    mine.visitor.json(f"{mine.address}/discard", {})
    seen.open.set()
    until(lambda: uploads(lite_capturing).held() == 0)
    assert counted(lite_capturing, "observations") < 20


def test_somebody_elses_clip_is_none_of_mine(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    lite_capturing.person("bob")
    ada, bob = Clip(lite_capturing, clip), Clip(lite_capturing, clip, "bob")
    ada.begin()
    bob.visitor.get("/capture")
    bob.address = ada.address
    assert bob.send(0).status_code == 404
    assert bob.visitor.get(ada.address).status_code == 404
    for act in ("read", "discard"):
        assert bob.visitor.json(f"{ada.address}/{act}", {}).status_code == 404
    assert ada.send(0).status_code == 200


def test_reading_needs_the_whole_clip_once(lite_capturing: Site, clip: bytes, seen: Seen) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    assert mine.read().status_code == 409
    mine.send_all()
    seen.open.clear()
    assert mine.read().status_code == 200
    assert mine.read().status_code == 409, "a double submit"
    assert mine.begin("other.mp4").status_code == 409
    seen.open.set()
    assert mine.settled()["stored"] == 20


def test_a_logged_out_page_is_told_as_a_program(lite_capturing: Site, clip: bytes) -> None:
    lite_capturing.person()
    mine = Clip(lite_capturing, clip)
    mine.begin()
    stranger: Visitor = lite_capturing.visitor()
    assert stranger.get(mine.address).status_code == 401
    assert raw(stranger, f"{mine.address}/0", clip, {}).status_code in (401, 403)


def _withdraw(site: Site, who: Person) -> None:
    consenting.withdraw(site.access, who, [Scope.AFFECT_SERIES], site.now, recorder=Recorder.PARTICIPANT)


NOBODY = Person("p", "ada", "s", "UTC", False, datetime(2026, 1, 1, tzinfo=UTC), None)


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 300)), max_size=40))
def test_pieces_in_any_order_never_make_another_clip(pieces: list[tuple[int, int]]) -> None:
    whole = b"RIFF1234AVI " + bytes(i % 251 for i in range(688))
    held = Upload("u", NOBODY, "k", len(whole), 0.0)
    for offset, length in [*pieces, (0, 400)]:
        before = held.offset
        piece = whole[offset : offset + length] if offset or length >= 12 else whole[:400]
        if offset == before or offset + len(piece) <= before:
            held.add(offset, piece)
        else:
            with pytest.raises(OffsetError, match=f"at byte {before}"):
                held.add(offset, piece)
            assert held.offset == before
        assert held.stream.getvalue() == whole[: held.offset]
    while held.stage is Stage.RECEIVING:
        held.add(held.offset, whole[held.offset : held.offset + 100])
    assert held.stream.getvalue() == whole
