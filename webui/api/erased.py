"""How far an erasure is, and its certificate: for whoever was told its number, with no token; theirs may be gone."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import BadRequest, NotFound, TooManyRequests

from tracker.workflows import erasure as erasing
from tracker.workflows.erasure import Erased
from webui.api import cursors
from webui.api.erasures import KIND, Erasure, told
from webui.api.room import Room
from webui.clock import now
from webui.services import services

room = Room("erased", "How far an erasure is; its number opens this, and no token is needed.")


@room.at("GET", "/erasures/<erasure>", gives=Erasure, token=False)
def state(erasure: str) -> dict[str, Any]:
    """Say how far an erasure is."""
    done, what = _read(erasure)
    return told(erasure, done, what)


@room.at("GET", "/erasures/<erasure>/certificate", media="application/json", token=False)
def certificate(erasure: str) -> Response:
    """Give the signed certificate of an erasure whose data are gone."""
    done, _ = _read(erasure)
    if done is None:
        raise NotFound("It is under way; there is a certificate when the data are gone.")
    return Response(_certified(done), mimetype="application/json")


def _certified(done: Erased) -> str:
    return erasing.certificate.written(erasing.certify(services().access, done, now()))


def _read(number: str) -> tuple[Erased | None, str]:
    """The erasure of a number, None while it is under way, and what it is of; `NotFound` for what is no number."""
    address = request.remote_addr or ""
    try:
        tombstone, what = cursors.read(KIND, number)
    except BadRequest:
        # Nobody guesses a signature; whoever tries is stopped as with tokens.
        if not services().strangers.allows(address, now()):
            wait = services().strangers.wait(address, now())
            raise TooManyRequests("Too many requests; wait a moment.", retry_after=wait) from None
        raise NotFound("There is no erasure of this number.") from None
    if not services().programs.allows(f"erasure {tombstone}", now()):
        wait = services().programs.wait(f"erasure {tombstone}", now())
        raise TooManyRequests("Too many requests; wait a moment.", retry_after=wait)
    try:
        return erasing.stages(services().access, tombstone), what
    except LookupError:
        return None, what
