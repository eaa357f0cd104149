"""Cameras and clips through programs: the same captures and uploads as the pages', and the same refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tests.webui.test_capturing import FRAME, MIDDLE, Seen, ms, until
from tracker import shipped
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Reason
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.lab.portrait import write_clip
from tracker.workflows import consenting, timeline
from tracker.workflows.ingest import Reader


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def capturing(database_url: str, tmp_path: Path, engine: Engine, seen: Seen) -> Iterator[Site]:
    """The app on both databases, with what reads faces; detection alone is stated by the test."""
    made = Site(database_url, tmp_path, reader=lambda: Reader(engine, lambda: seen))
    yield made
    seen.open.set()
    made.app.extensions["affect-tracker"].close()
    made.access.close()


def picture(asked: Program, method: str, path: str, at: datetime, data: bytes = FRAME) -> TestResponse:
    return asked.ask(method, f"{path}?taken_ms={ms(at)}", data=data, content_type="image/jpeg")


def begun(asked: Program, at: datetime) -> str:
    looked = picture(asked, "POST", "/captures", at)
    assert looked.status_code == 200, looked.text
    capture: str = looked.json["capture"]  # type: ignore[index]
    assert asked.put(f"/captures/{capture}", {"face": 0, "taken_ms": ms(at)}).status_code == 200
    return capture


def test_frames_become_rows_and_a_replayed_one_adds_nothing(capturing: Site, seen: Seen) -> None:
    ada = capturing.person()
    asked = program(capturing, ada)
    looked = picture(asked, "POST", "/captures", capturing.now).json
    assert looked["faces"] == [
        {"x": MIDDLE[0] / 320, "y": MIDDLE[1] / 240, "width": MIDDLE[2] / 320, "height": MIDDLE[3] / 240}
    ]
    capture = begun(asked, capturing.now)
    capturing.wait(timedelta(seconds=1))
    taken = capturing.now
    # Sent again and again it is one frame, looked at once.
    until(lambda: picture(asked, "PUT", f"/captures/{capture}/frames/1", taken).json["taken"] == 1)
    ended = asked.ask("DELETE", f"/captures/{capture}").json
    assert ended["taken"] == 1
    until(lambda: len(list_of(capturing, ada)) == 1)
    assert list_of(capturing, ada)[0].machine is not None
    over = picture(asked, "PUT", f"/captures/{capture}/frames/2", taken)
    assert (over.status_code, over.json["type"]) == (409, "urn:affect-tracker:problem:capture-stopped")


def test_a_frame_in_hand_when_a_capture_is_stopped_is_told_as_not_read(capturing: Site, seen: Seen) -> None:
    ada = capturing.person()
    asked = program(capturing, ada)
    capture = begun(asked, capturing.now)
    looked = seen.calls
    seen.open.clear()
    capturing.wait(timedelta(seconds=1))
    picture(asked, "PUT", f"/captures/{capture}/frames/1", capturing.now)
    live = capturing.app.extensions["affect-tracker"].captures
    until(lambda: live.waiting() == 0)
    # The detector has the frame, and does not let go of it before the capture is over.
    ended = asked.ask("DELETE", f"/captures/{capture}").json
    assert (ended["taken"], ended["dropped"]) == (0, 1)
    seen.open.set()
    until(lambda: seen.calls == looked + 1)
    assert [moment.reason for moment in list_of(capturing, ada)] == [Reason.OVERLOAD]


def list_of(site: Site, who: Any) -> list[Any]:
    with timeline.moments(site.access, who, site.now) as found:
        return list(found)


def test_without_consent_no_picture_is_looked_at(capturing: Site, seen: Seen) -> None:
    ada = capturing.person(scopes=(Scope.PROMPTS,))
    refused = picture(program(capturing, ada), "POST", "/captures", capturing.now)
    assert (refused.status_code, refused.json["missing"]) == (403, ["affect_series"])
    assert seen.calls == 0


def test_a_withdrawal_ends_a_capture(capturing: Site) -> None:
    ada = capturing.person()
    asked = program(capturing, ada)
    capture = begun(asked, capturing.now)
    consenting.withdraw(
        capturing.access, ada, [Scope.AFFECT_SERIES], capturing.now, recorder=Recorder.PARTICIPANT
    )
    capturing.wait(timedelta(seconds=1))
    picture(asked, "PUT", f"/captures/{capture}/frames/1", capturing.now)
    until(
        lambda: (
            picture(asked, "PUT", f"/captures/{capture}/frames/2", capturing.now).status_code in (403, 409)
        )
    )
    assert list_of(capturing, ada) == []


@pytest.mark.parametrize(
    ("data", "at", "status"),
    [
        (b"", 0, 422),
        (b"no picture", 0, 415),
        (b"x" * 1_100_000, 0, 413),
        (FRAME[:300], 0, 422),
        (FRAME, 48, 422),
    ],
)
def test_what_is_no_frame_of_now_is_refused(capturing: Site, data: bytes, at: int, status: int) -> None:
    asked = program(capturing, capturing.person())
    told = picture(asked, "POST", "/captures", capturing.now + timedelta(hours=at), data)
    assert (told.status_code, told.content_type) == (status, "application/problem+json")


def test_a_clip_in_pieces_is_read(capturing: Site, seen: Seen, tmp_path: Path) -> None:
    seen.boxes = ((120.0, 80.0, 200.0, 260.0),)
    write_clip(tmp_path / "clip.mp4", 2.0)
    clip = (tmp_path / "clip.mp4").read_bytes()
    ada = capturing.person()
    asked = program(capturing, ada)
    state = asked.post("/uploads", {"key": "clip", "size": len(clip)}).json
    wrong = asked.ask(
        "PUT", f"/uploads/{state['id']}/pieces/7", data=b"x", content_type="application/octet-stream"
    )
    assert (wrong.status_code, wrong.json["offset"]) == (409, 0)
    while state["stage"] == "receiving":
        piece = clip[state["offset"] : state["offset"] + 32 * 1024]
        there = f"/uploads/{state['id']}/pieces/{state['offset']}"
        state = asked.ask("PUT", there, data=piece, content_type="application/octet-stream").json
    read = {"started_at": (capturing.now - timedelta(hours=1)).isoformat(), "first_face": True}
    assert asked.post(f"/uploads/{state['id']}/read", read).status_code == 200
    until(lambda: asked.get(f"/uploads/{state['id']}").json["stage"] in ("done", "failed"))
    done = asked.get(f"/uploads/{state['id']}").json
    assert (done["stage"], done["problem"]) == ("done", None)
    assert done["stored"] == len(list_of(capturing, ada)) > 0
    assert asked.ask("DELETE", f"/uploads/{state['id']}").status_code == 204
    assert asked.get(f"/uploads/{state['id']}").status_code == 404


def test_nobody_sees_anothers_upload(capturing: Site) -> None:
    ada, bob = program(capturing, capturing.person()), program(capturing, capturing.person("bob"))
    number = ada.post("/uploads", {"key": "clip", "size": 100}).json["id"]  # type: ignore[index]
    assert ada.get(f"/uploads/{number}").status_code == 200
    assert bob.get(f"/uploads/{number}").status_code == 404
