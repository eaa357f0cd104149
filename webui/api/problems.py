"""What goes wrong is said as a problem document (RFC 9457), whatever it was and whoever noticed it."""

from __future__ import annotations

import json
from typing import Any, Protocol

from flask import Blueprint, Flask, Response, g, request
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES

from tracker.domain.consent import ConsentError, ConsentMissingError
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store.database import DatabaseError
from webui import bearer, errors, refusals
from webui.roles import PROGRAMS

TYPE = "application/problem+json"

_PLAIN = {
    400: "This request cannot be read; nothing was changed.",
    404: "There is nothing here; the description under /api/v1/openapi.json lists what there is.",
    405: "This address does not do that; Allow says what it does.",
    413: "That was too large; nothing was stored.",
    415: "This media type is not read here; the description says which is.",
    500: "Something went wrong on our side; nothing was changed. If it stays, tell the help contact.",
}
_HEADERS = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})


class Explains(Protocol):
    """What takes handlers of errors: an app, or a blueprint."""

    def register_error_handler(self, code_or_exception: Any, f: Any) -> None:
        """Have a function answer an error."""


class Problem(Schema):
    """What went wrong, and what to do."""

    type = fields.String(
        required=True, metadata={"description": "What kind of problem, for programs; else `about:blank`."}
    )
    title = fields.String(required=True, metadata={"description": "The name of the status."})
    status = fields.Integer(required=True)
    detail = fields.String(metadata={"description": "What was wrong with this request, for people."})
    # Named so by the standard's own example.
    errors = fields.Dict(metadata={"description": "Of a request that is no good: what, by place and field."})
    missing = fields.List(fields.String(), metadata={"description": "Scopes that are not in force."})
    offset = fields.Integer(metadata={"description": "Where an upload goes on."})


def problem(status: int, detail: str, kind: str = "", **more: Any) -> Response:
    """A problem document.

    Parameters
    ----------
    status
        Of HTTP.
    detail
        What was wrong, for people.
    kind
        For programs, where the status does not say enough: it ends the type.
    more
        Further members.
    """
    told = {
        "type": f"urn:affect-tracker:problem:{kind}" if kind else "about:blank",
        "title": HTTP_STATUS_CODES.get(status, "Error"),
        "status": status,
        "detail": detail,
    } | more
    return Response(json.dumps(told, ensure_ascii=False) + "\n", status, content_type=TYPE)


def is_for_programs() -> bool:
    """Whether this request is for programs."""
    return request.path.startswith(PROGRAMS)


def explain(room: Blueprint) -> None:
    """Answer every error of a blueprint so."""
    _explain(room)


def explain_unknown(app: Flask) -> None:
    """Answer so what is asked under `PROGRAMS` and is not there; elsewhere a page says it."""
    for kind in (NotFound, MethodNotAllowed):
        app.register_error_handler(kind, _unknown)


def _explain(room: Explains) -> None:
    room.register_error_handler(HTTPException, http)
    room.register_error_handler(ConsentError, consent)
    room.register_error_handler(DatabaseError, _database)
    for kind in (UnknownParticipantError, KeyDestroyedError):
        room.register_error_handler(kind, _erased)


def http(error: HTTPException) -> Response:
    """A problem document for an error of HTTP, with its headers."""
    response = error.get_response()
    status = error.code or 500
    if status < 400:
        assert isinstance(response, Response)
        return response
    own = error.description if error.description != type(error).description else None
    data = getattr(error, "data", None) or {}
    if messages := data.get("messages"):
        made = problem(
            status, "Something in this request is no good; errors says what.", "invalid", errors=messages
        )
    else:
        made = problem(status, str(own or _PLAIN.get(status) or error.name))
    for name, value in response.headers:
        if name in _HEADERS:
            made.headers[name] = value
    return made


def consent(error: ConsentError) -> Response:
    """A problem document that names the scopes which are not in force."""
    if isinstance(error, ConsentMissingError):
        missing = [scope.value for scope in (*error.refusal.missing, *error.refusal.unconfirmed)]
        return problem(403, errors.consent_sentence(error), "consent", missing=missing)
    return problem(403, errors.consent_sentence(error), "consent")


def refused(error: ValueError) -> Response:
    """A problem document for what a workflow refuses."""
    return problem(422, refusals.said(error), "refused")


def _database(_: DatabaseError) -> Response:
    return problem(503, "The database cannot be used right now; nothing was changed. Try again in a minute.")


def _erased(_: Exception) -> Response:
    """Somebody was erased while this request was carried out: who asks, or of whom they asked."""
    return http(bearer.gone() if "person" in g else NotFound("What this is about was erased meanwhile."))


def _unknown(error: HTTPException) -> Any:
    return http(error) if is_for_programs() else errors.http(error)
