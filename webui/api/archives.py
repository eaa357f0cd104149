"""Everything that is stored about oneself, in an archive: asked for with a proof, then fetched within a while.

Nothing of it lies anywhere meanwhile: it is made while it is sent, as on the page. What is told between is signed, and
good with the same token alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields
from marshmallow.validate import OneOf
from werkzeug.exceptions import BadRequest, NotFound

from webui import auth
from webui.api import cursors, problems, proving
from webui.api.parts import Instant, Strict
from webui.api.room import Room
from webui.limits import BusyError
from webui.participant import downloads
from webui.services import services

room = Room("archives", "Everything that is stored about you.")

_KIND = "archive"


class ArchiveWanted(Strict):
    """That it is you who takes everything along."""

    proof = proving.a_proof()


class Archive(Schema):
    """An archive that can be fetched."""

    id = fields.String(required=True)
    stage = fields.String(
        required=True,
        validate=OneOf(["ready"]),
        metadata={"description": "Always `ready`: it is made while it is sent, and lies nowhere before."},
    )
    until = Instant(required=True, metadata={"description": "Until when it can be fetched."})


@room.at("POST", "/archives", takes=ArchiveWanted, gives=Archive, status=201, stores=False)
def begin(said: dict[str, Any]) -> dict[str, Any]:
    """Ask for everything that is stored about you; say who you are."""
    proving.demand(said["proof"])
    until = auth.now() + auth.FRESH
    place = [g.bearer.token, until.isoformat()]
    return {"id": cursors.write(_KIND, place), "stage": "ready", "until": until}


@room.at("GET", "/archives/<archive>", gives=Archive)
def state(archive: str) -> dict[str, Any]:
    """Say until when an archive can be fetched."""
    return {"id": archive, "stage": "ready", "until": _until(archive)}


@room.at("GET", "/archives/<archive>/file", media="application/zip")
def download(archive: str) -> Response:
    """Give everything that is stored about you: a page to read, and each table as JSON, CSV and Parquet."""
    _until(archive)
    try:
        pieces = downloads.archive(services().access, auth.person(), auth.now(), services().archives)
    except BusyError:
        made = problems.problem(
            503, "Others are taking their data along just now; try again in a few minutes."
        )
        made.headers["Retry-After"] = "120"
        return made
    return Response(pieces, mimetype="application/zip")


def _until(archive: str) -> datetime:
    """Until when it can be fetched; `NotFound` for what is none, another token's, or over."""
    try:
        token, told = cursors.read(_KIND, archive)
    except BadRequest:
        raise _gone() from None
    until = datetime.fromisoformat(told)
    if token != g.bearer.token or until <= auth.now():
        raise _gone()
    return until


def _gone() -> NotFound:
    return NotFound("There is no such archive, or its time is over; ask for it anew.")


proving.explain(room)
