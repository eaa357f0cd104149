"""Each POST is carried out once for its key: whoever is unsure whether it arrived sends it again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from flask import Response, g, request
from werkzeug.exceptions import BadRequest, Conflict, UnprocessableEntity

from tracker.domain.people import UnknownParticipantError
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.workflows import repeating
from tracker.workflows.repeating import OtherRequestError, Repeated, UnderWayError
from tracker.workflows.tokens import Bearer
from webui.clock import now
from webui.services import services

HEADER = "Idempotency-Key"
REPEATED = "Idempotency-Replayed"
"""Stands in an answer that was given before."""

SHAPE = r"^[A-Za-z0-9_-]{8,64}$"
_KEY = re.compile(SHAPE)

View = TypeVar("View", bound=Callable[..., Any])

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "Chosen by you, at random, for this request alone. The same request sent again with it is carried "
    "out no second time and answered the same, for 24 hours.",
    "schema": {"type": "string", "pattern": SHAPE},
    "example": "8b4b1a52-8a3c-4bb5-9d3b-5c1f3b1f6d0e",
}


def key() -> str:
    """The key of this request.

    Raises
    ------
    BadRequest
        Where there is none, or it is none.
    """
    given = request.headers.get(HEADER, "")
    if not _KEY.fullmatch(given):
        raise BadRequest(f"Send the header {HEADER}: 8 to 64 letters, digits, - or _, new for each request.")
    return given


def once(view: View) -> View:
    """Carry a request out once for its key, and answer it the same whenever it comes again."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        access, whom = services().access, _bearer().whom
        try:
            claimed = repeating.claim(access, whom, key(), _asked(), now())
        except OtherRequestError as error:
            raise UnprocessableEntity(str(error)) from None
        except UnderWayError as error:
            raise Conflict(str(error)) from None
        if isinstance(claimed, Repeated):
            return _again(claimed)
        try:
            response: Response = view(*args, **kwargs)
        except Exception:
            # Nothing was stored, so nothing is kept: when what hindered it is gone, the same request may succeed.
            with suppress(UnknownParticipantError, KeyDestroyedError):
                repeating.release(access, whom, claimed, now())
            raise
        if response.status_code < 300:
            # Whoever was erased meanwhile keeps nothing, not even an answer.
            with suppress(UnknownParticipantError, KeyDestroyedError):
                repeating.keep(access, whom, claimed, response.status_code, _written(response), now())
        else:
            repeating.release(access, whom, claimed, now())
        return response

    return wrapper  # type: ignore[return-value]


def _bearer() -> Bearer:
    found: Bearer = g.bearer
    return found


def _asked() -> bytes:
    told = [request.method, request.full_path, request.content_type or ""]
    return json.dumps(told).encode() + _without_proof(request.get_data())


def _without_proof(body: bytes) -> bytes:
    """A body without what shows who asks.

    It makes no other request; and of it a digest is kept, which must not be one of a password.
    """
    if b"proof" not in body and b"\\u" not in body:  # a name can be written with escapes
        return body
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(sent, dict) or "proof" not in sent:
        return body
    return json.dumps({name: value for name, value in sent.items() if name != "proof"}).encode()


def _written(response: Response) -> bytes:
    kept = [response.content_type or "", response.headers.get("Location", "")]
    return json.dumps(kept).encode() + b"\n" + response.get_data()


def _again(before: Repeated) -> Response:
    head, _, body = before.answer.partition(b"\n")
    content_type, location = json.loads(head)
    response = Response(body, before.status, content_type=content_type or None)
    response.headers[REPEATED] = "true"
    if location:
        response.headers["Location"] = location
    return response
