"""Clips that are uploaded in pieces and read in the background; their bytes stay in memory, as on the page."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length, Range
from werkzeug.exceptions import ServiceUnavailable

from tracker.domain.consent import ConsentError
from tracker.domain.instants import InstantError, require_past
from tracker.vision.errors import MediaError
from tracker.workflows import ingest
from tracker.workflows.ingest import (
    OffsetError,
    Plan,
    StartUnknownError,
    Upload,
    UploadBusyError,
    UploadGoneError,
)
from webui import auth, errors, limits
from webui.api import capture, problems
from webui.api.parts import Instant, Strict
from webui.api.room import Room
from webui.services import services

room = Room("uploads", "Clips, uploaded in pieces.")

_BYTES = "application/octet-stream"


class Begun(Strict):
    """A clip that begins."""

    key = fields.String(
        required=True,
        validate=Length(1, 300),
        metadata={"description": "What you know the file by: the same key and size go on after a break."},
    )
    size = fields.Integer(
        required=True, strict=True, validate=Range(1, 2**40), metadata={"description": "Bytes."}
    )


class Reading(Strict):
    """How a clip is read."""

    started_at = Instant(metadata={"description": "When it was recorded, where the clip does not say it."})
    first_face = fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=False,
        metadata={"description": "Whether the first face that is alone in the picture is yours."},
    )


class UploadState(Schema):
    """Where an upload stands."""

    id = fields.String(required=True)
    stage = fields.String(
        required=True,
        metadata={"description": "`receiving`, `complete`, `waiting`, `reading`, `done` or `failed`."},
    )
    offset = fields.Integer(required=True, metadata={"description": "At which byte the next piece begins."})
    size = fields.Integer(required=True)
    largest_piece = fields.Integer(required=True)
    share = fields.Float(required=True, metadata={"description": "How much of it was read."})
    stored = fields.Integer(required=True)
    known = fields.Integer(required=True, metadata={"description": "Observations that were stored before."})
    read = fields.Integer(required=True)
    without = fields.Dict(
        fields.String(),
        fields.Integer(),
        required=True,
        metadata={"description": "Without a reading, by reason."},
    )
    problem = fields.String(required=True, allow_none=True)
    ask_start = fields.Boolean(
        required=True, metadata={"description": "Whether it must be said when the clip was recorded."}
    )


@room.at("POST", "/uploads", takes=Begun, gives=UploadState, stores=False)
def begin(begun: dict[str, Any]) -> dict[str, Any]:
    """Begin an upload, or go on with the same clip's."""
    return _told(_uploads().begin(auth.person(), begun["key"], begun["size"]))


@room.at("GET", "/uploads/<upload>", gives=UploadState)
def state(upload: str) -> dict[str, Any]:
    """Say where an upload stands."""
    return _told(_uploads().of(auth.person(), upload))


@room.at("PUT", "/uploads/<upload>/pieces/<int:offset>", carries=(_BYTES,), gives=UploadState)
def piece(upload: str, offset: int) -> dict[str, Any]:
    """Take the piece that begins at a byte."""
    return _told(_uploads().add(auth.person(), upload, offset, capture.body(limits.LARGEST_PIECE)))


@room.at("POST", "/uploads/<upload>/read", takes=Reading, gives=UploadState)
def read(reading: dict[str, Any], upload: str) -> dict[str, Any]:
    """Read a whole clip in the background."""
    at = reading.get("started_at")
    plan = Plan(
        started_at=require_past(at, auth.now()) if at is not None else None,
        confirm_first_face=reading["first_face"],
    )
    return _told(_uploads().read(auth.person(), upload, plan))


@room.at("DELETE", "/uploads/<upload>", status=204)
def discard(upload: str) -> Response:
    """Drop a clip, or read it no further; what was stored of it stays."""
    _uploads().discard(auth.person(), upload)
    return Response(status=204)


def _uploads() -> ingest.Uploads:
    found = services().uploads
    if found is None:
        raise ServiceUnavailable("This installation reads no faces here.")
    return found


def _told(upload: Upload) -> dict[str, Any]:
    result = upload.result
    return {
        "id": upload.id,
        "stage": upload.stage.value,
        "offset": upload.offset,
        "size": upload.size,
        "largest_piece": limits.LARGEST_PIECE,
        "share": round(upload.share, 3),
        "stored": result.added,
        "known": result.observations - result.added,
        "read": result.with_face,
        "without": {reason.value: count for reason, count in result.reasons.items() if count},
        "problem": result.problem or _why(upload.problem),
        "ask_start": isinstance(upload.problem, StartUnknownError | InstantError),
    }


def _why(found: Exception | None) -> str | None:
    if isinstance(found, ConsentError):
        return errors.consent_sentence(found)
    if found is None or isinstance(found, StartUnknownError | InstantError | MediaError):
        return None if found is None else str(found)
    return "Something went wrong on our side; what was read before is stored."


def _gone(_: UploadGoneError) -> Response:
    return problems.problem(
        404, "This clip is not held any more; begin anew. What was read of it stays read."
    )


def _offset(error: OffsetError) -> Response:
    return problems.problem(409, "The upload goes on at another byte.", "offset", offset=error.offset)


def _busy(_: UploadBusyError) -> Response:
    return problems.problem(409, "The clip is not whole yet, or one of yours is being read just now.")


room.register_error_handler(UploadGoneError, _gone)
room.register_error_handler(OffsetError, _offset)
room.register_error_handler(UploadBusyError, _busy)
room.register_error_handler(InstantError, problems.refused)
capture.explain(room)
