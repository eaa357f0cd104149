"""Live capture: which face is yours, then frames one at a time. A picture is looked at and dropped, as on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields
from marshmallow.validate import Range
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from tracker.domain.consent import ConsentError
from tracker.domain.people import UnknownParticipantError
from tracker.vision.errors import MediaError
from tracker.vision.received import NotAPictureError, TooManyPixelsError
from tracker.workflows import ingest
from tracker.workflows.ingest import CaptureEndedError, ClockOffError, LookAgainError, Progress
from webui import auth, limits
from webui.api import problems
from webui.api.parts import Instant, Strict, a_reading
from webui.api.room import Room
from webui.services import services

room = Room("capture", "Live capture, a frame at a time.")

PICTURES = ("image/jpeg", "image/png")
_LAST_MS = 4_102_444_800_000
"""The year 2100: no device's clock says more."""


class Taken(Strict):
    """When a picture was taken."""

    taken_ms = fields.Integer(
        required=True,
        validate=Range(0, _LAST_MS),
        metadata={
            "description": "What the clock of the camera's machine said, in milliseconds since 1970 (UTC)."
        },
    )


class Box(Schema):
    """Where a face is, as shares of the picture."""

    x = fields.Float(required=True)
    y = fields.Float(required=True)
    width = fields.Float(required=True)
    height = fields.Float(required=True)


class Looked(Schema):
    """The faces in a picture."""

    capture = fields.String(required=True, metadata={"description": "The id of the capture that may begin."})
    faces = fields.List(fields.Nested(Box), required=True)


class Chosen(Taken):
    """Which face is yours."""

    face = fields.Integer(
        required=True, strict=True, validate=Range(0, 1000), metadata={"description": "From 0."}
    )


class Running(Schema):
    """How a capture fares."""

    taken = fields.Integer(required=True)
    dropped = fields.Integer(
        required=True, metadata={"description": "For a newer frame came before it was looked at."}
    )
    stored = fields.Integer(required=True)
    faces = fields.Integer(required=True)
    lost = fields.Boolean(required=True)
    box = fields.Nested(Box, required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    at = Instant(required=True, allow_none=True, metadata={"description": "Of the newest reading."})
    looks = a_reading(required=True)
    own = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "Whether your learner said it."}
    )


@room.at("POST", "/captures", query=Taken, carries=PICTURES, gives=Looked, stores=False)
def look(query: dict[str, Any]) -> dict[str, Any]:
    """Find the faces in one picture, so that you say which is yours; nothing is stored."""
    found = captures().look(auth.person(), body(), query["taken_ms"])
    return {"capture": found.capture, "faces": [_box(box) for box in found.boxes]}


@room.at("PUT", "/captures/<capture>", takes=Chosen, gives=Running)
def start(chosen: dict[str, Any], capture: str) -> dict[str, Any]:
    """Begin a capture with the face that you chose."""
    return _told(captures().start(auth.person(), capture, chosen["face"], chosen["taken_ms"]))


@room.at("PUT", "/captures/<capture>/frames/<int:number>", query=Taken, carries=PICTURES, gives=Running)
def frame(query: dict[str, Any], capture: str, number: int) -> dict[str, Any]:
    """Leave a frame to be looked at; one that was left before adds nothing."""
    return _told(captures().offer(auth.person(), capture, number, query["taken_ms"], body()))


@room.at("DELETE", "/captures/<capture>", gives=Running)
def stop(capture: str) -> dict[str, Any]:
    """End a capture; what was seen is stored."""
    return _told(captures().stop(auth.person(), capture))


def captures() -> ingest.Captures:
    """The live captures of this process."""
    found = services().captures
    if found is None:
        raise ServiceUnavailable("This installation reads no faces here.")
    return found


def body(largest: int = limits.LARGEST_FRAME) -> bytes:
    """The body, as it is, up to so many bytes."""
    request.max_content_length = largest
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(f"At most {largest // 1024} KiB; nothing was stored.") from None


def _box(box: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("x", "y", "width", "height"), box, strict=True))


def _looks(read: ingest.Read) -> Mapping[str, float | None]:
    return read.distribution.as_dict() if read.own else read.distribution.read_dict()


def _told(told: Progress) -> dict[str, Any]:
    read = told.read
    return {
        "taken": told.taken,
        "dropped": told.dropped,
        "stored": told.stored,
        "faces": told.faces,
        "lost": told.lost,
        "box": _box(told.box) if told.box is not None else None,
        "reason": told.reason.value if told.reason is not None else None,
        "at": read.at if read is not None else None,
        "looks": _looks(read) if read is not None else None,
        "own": read.own if read is not None else None,
    }


def ended(error: CaptureEndedError) -> Response:
    """A capture that is over, and why."""
    if isinstance(error.cause, ConsentError):
        return problems.consent(error.cause)
    if isinstance(error.cause, UnknownParticipantError):
        return problems.problem(
            403, "Everything about you was erased; nothing more is stored.", "capture-refused"
        )
    why = f"This capture is over ({error.ended.value}); begin another."
    return problems.problem(409, why, f"capture-{error.ended.value}")


def again(error: LookAgainError) -> Response:
    """A face that was chosen too late."""
    return problems.problem(409, str(error), "look-again")


def media(error: MediaError) -> Response:
    """What is no picture or clip, or too large."""
    statuses = ((NotAPictureError, 415), (ingest.NotAClipError, 415), (TooManyPixelsError, 413))
    known = (*statuses, (ingest.ClipTooLargeError, 413))
    return problems.problem(
        next((status for kind, status in known if isinstance(error, kind)), 422), str(error)
    )


def full(_: ingest.FullError) -> Response:
    """More people at once than this machine looks at."""
    response = problems.problem(
        503, "As many people as this machine can look at are here now. Try again later."
    )
    response.headers["Retry-After"] = "60"
    return response


def unable(_: ingest.NoReaderError) -> Response:
    """No network to read with."""
    return problems.problem(503, "Faces cannot be read here right now. Tell the help contact.")


room.register_error_handler(CaptureEndedError, ended)
room.register_error_handler(LookAgainError, again)
room.register_error_handler(ClockOffError, problems.refused)


def explain(of: Room) -> None:
    """Say what keeps pictures and clips from being read."""
    of.register_error_handler(MediaError, media)
    of.register_error_handler(ingest.FullError, full)
    of.register_error_handler(ingest.NoReaderError, unable)


explain(room)
