"""Say in a request who one is: before a program takes everything along, erases, or lets another study govern.

A token can be stolen. What cannot be undone needs besides what its person knows or has now: the code of their
authenticator app where they have one, else their password. Tries are counted, and lock the account, as at login; and no
address tries more often than it may there.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request
from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Length, Regexp
from werkzeug.exceptions import BadRequest, TooManyRequests

from tracker.domain.entering import Kind
from tracker.workflows import accounts
from webui import auth
from webui.account import second
from webui.api import problems
from webui.api.parts import Strict
from webui.api.room import Room
from webui.limits import BusyError
from webui.services import services

LONGEST = 1024

CODE = "^[0-9]{6}$"
HEADER = "Proof-Code"
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "The code that your authenticator app shows at this moment; each is good for one request.",
    "schema": {"type": "string", "pattern": CODE},
    "example": "123456",
}
"""Where the body is a file, the code stands beside it."""


class Proof(Strict):
    """What only you know or have: the code of your authenticator app where you have one, else your password."""

    password = fields.String(load_only=True, validate=Length(1, LONGEST), metadata={"format": "password"})
    code = fields.String(
        load_only=True,
        validate=Regexp(CODE),
        metadata={"description": "Of this moment; each is good for one request."},
    )

    @validates_schema
    def _one(self, said: dict[str, Any], **_: Any) -> None:
        if len(said) != 1:
            raise ValidationError("Send a password or a code, and not both.")


class NotProvenError(Exception):
    """It was not shown who asks; nothing was done."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Nothing was done.")


def a_proof() -> fields.Nested:
    """What an operation demands of whoever asks for it."""
    return fields.Nested(Proof, required=True, load_only=True)


def sent() -> dict[str, str]:
    """The proof that stands in a header.

    Raises
    ------
    BadRequest
        Where there is none, or it can be none.
    """
    code = request.headers.get(HEADER, "")
    if not re.fullmatch(CODE, code):
        raise BadRequest(f"Send the header {HEADER}: the six digits that your authenticator app shows.")
    return {"code": code}


def demand(proof: dict[str, str]) -> None:
    """Return when this shows who asks.

    Raises
    ------
    NotProvenError
        When it does not, or the account is locked.
    TooManyRequests
        When this address tries too often.
    """
    address, now, whom = request.remote_addr or "", auth.now(), auth.whom()
    if not services().logins.allows(address, now):
        raise TooManyRequests(
            "Too many tries from this address; wait a moment.",
            retry_after=services().logins.wait(address, now),
        )
    if "code" in proof:
        if second.given(whom, proof["code"]) is None:
            raise NotProvenError(
                "That code is not the one of this moment, or it was used; or too many were tried."
            )
        return
    # A password alone must not make the tries forgotten that were made at the second factor.
    kinds = {factor.kind for factor in accounts.factors(services().access, whom, now)}
    if Kind.APP in kinds:
        raise NotProvenError("You have an authenticator app: send the code that it shows.")
    if kinds:
        raise NotProvenError("You log in with a passkey, which a program does not have: do this on its page.")
    try:
        with services().hashing:
            accounts.confirm_password(services().access, whom, proof["password"], now)
    except accounts.LoginError:
        raise NotProvenError("That is not your password; or too many were tried.") from None


def explain(of: Room) -> None:
    """Say what was not proven, wherever something has to be."""
    of.register_error_handler(NotProvenError, _not_proven)
    of.register_error_handler(BusyError, _busy)


def _not_proven(error: NotProvenError) -> Response:
    return problems.problem(403, str(error), "proof")


def _busy(_: BusyError) -> Response:
    response = problems.problem(503, "Many ask for this right now. Try again in a moment; nothing was done.")
    response.headers["Retry-After"] = "30"
    return response
