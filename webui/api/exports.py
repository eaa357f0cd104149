"""Research datasets: what was exported, a new one in the background, how far it is, and its archive."""

from __future__ import annotations

from typing import Any

from flask import Response, send_file
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range
from werkzeug.exceptions import Conflict, NotFound, UnprocessableEntity

from tracker.domain.readers import Reader, Role
from webui import auth
from webui.api.parts import Instant, Strict
from webui.api.room import Room
from webui.services import services

room = Room("exports", "Research datasets.")

FORMATS = ("parquet", "csv", "openesm")
SHAPES = ("wide", "long")
LONGEST_STEP_S = 31 * 86_400


class Registered(Schema):
    """A dataset that was exported."""

    id = fields.String(required=True)
    at = Instant(required=True, metadata={"description": "The instant whose state it holds."})
    created_at = Instant(required=True)
    public = fields.Boolean(required=True)
    formats = fields.List(fields.String(), required=True)
    participants = fields.Integer(required=True)
    outdated_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Since when somebody in it has withdrawn: whoever has a copy replaces it."},
    )


class Job(Schema):
    """A dataset that is being made, or waits a day to be fetched."""

    id = fields.String(required=True)
    by = fields.String(required=True)
    began_at = Instant(required=True)
    stage = fields.String(required=True, metadata={"description": "`running`, `done` or `failed`."})
    share = fields.Float(required=True, metadata={"description": "How much is done, 0 to 1."})
    export = fields.String(
        required=True, metadata={"description": "Its id among the exports, once it is done."}
    )
    size = fields.Integer(required=True)
    problem = fields.String(required=True)


class Exports(Schema):
    """What was exported, newest first, and what is being made or waits."""

    items = fields.List(fields.Nested(Registered), required=True)
    jobs = fields.List(fields.Nested(Job), required=True)


class ExportWanted(Strict):
    """What is to be exported."""

    formats = fields.List(
        fields.String(validate=OneOf(FORMATS)), required=True, validate=Length(1, len(FORMATS))
    )
    shape = fields.String(validate=OneOf(SHAPES), metadata={"description": "The series too, in this shape."})
    every_s = fields.Integer(
        strict=True,
        validate=Range(1, LONGEST_STEP_S),
        metadata={"description": "In windows of so many seconds; only with a shape."},
    )


@room.at("GET", "/exports", gives=Exports)
def listing() -> dict[str, Any]:
    """List what was exported, and what is being made or waits."""
    from tracker.workflows import export  # noqa: PLC0415 - pyarrow takes a while

    return {
        "items": export.registered(services().access),
        "jobs": [_told(job) for job in services().shelf.jobs()],
    }


@room.at("POST", "/exports", takes=ExportWanted, gives=Job, status=202)
def begin(asked: dict[str, Any]) -> dict[str, Any]:
    """Begin an export in the background; everybody who is in it reads that it was made, and by whom."""
    from tracker.workflows.export import BusyError  # noqa: PLC0415 - pyarrow takes a while

    if "every_s" in asked and "shape" not in asked:
        raise UnprocessableEntity(
            "Windows are of a series in a shape: say which shape, or leave every_s out."
        )
    reader = Reader(auth.member().name, Role.RESEARCHER)
    try:
        job = services().shelf.begin(
            reader, formats=set(asked["formats"]), shape=asked.get("shape"), every_s=asked.get("every_s")
        )
    except BusyError as error:
        raise Conflict(str(error)) from None
    return _told(job)


@room.at("GET", "/exports/<item:job>", gives=Job)
def state(job: str) -> dict[str, Any]:
    """Say how far an export is."""
    found = next((one for one in services().shelf.jobs() if one.id == job), None)
    if found is None:
        raise _gone()
    return _told(found)


@room.at("GET", "/exports/<item:job>/archive", media="application/zip")
def download(job: str) -> Response:
    """Give an export that is done, as an archive, to who asked for it."""
    from tracker.workflows.export import GoneError  # noqa: PLC0415 - pyarrow takes a while

    try:
        return send_file(services().shelf.open(job, auth.member().name), mimetype="application/zip")
    except (GoneError, FileNotFoundError):
        raise _gone() from None


@room.at("DELETE", "/exports/<item:job>", status=204)
def discard(job: str) -> Response:
    """Delete an export that waits, or stop making it."""
    from tracker.workflows.export import GoneError  # noqa: PLC0415 - pyarrow takes a while

    try:
        services().shelf.discard(job)
    except GoneError:
        raise _gone() from None
    return Response(status=204)


def _told(job: Any) -> dict[str, Any]:
    return {
        "id": job.id,
        "by": job.by,
        "began_at": job.began_at,
        "stage": job.stage.value,
        "share": job.share,
        "export": job.export,
        "size": job.size,
        "problem": job.problem,
    }


def _gone() -> NotFound:
    return NotFound("This export is not here any more: it waited too long, or somebody in it has withdrawn.")
