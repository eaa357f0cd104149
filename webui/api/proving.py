"""Say in a request who one is: before a program takes everything along, erases, or lets another study govern.

A token can be stolen. What cannot be undone needs besides what its person knows and has now, as on the pages: the
password, and a code of who has a second factor. Tries are counted, and lock the account, as at login; and no address
tries more often than it may there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Response, request
from marshmallow import fields
from marshmallow.validate import Length
from werkzeug.exceptions import BadRequest, TooManyRequests

from tracker.workflows import accounts
from webui import auth, journal
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
    """What only you know and have: your password, and a code where you have a second factor."""

    password = fields.String(
        required=True, load_only=True, validate=Length(1, LONGEST), metadata={"format": "password"}
    )
    code = fields.String(
        load_only=True,
        validate=Length(1, second.LONGEST),
        metadata={"description": "Of your authenticator app, or one to come back with; each is good once."},
    )


class NotProvenError(Exception):
    """It was not shown who asks; nothing was done."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Nothing was done.")


def a_proof() -> fields.Nested:
    """What an operation demands of whoever asks for it."""
    return fields.Nested(Proof, required=True, load_only=True)


def sent() -> str:
    """The code that stands in a header.

    Raises
    ------
    BadRequest
        Where there is none, or it can be none.
    """
    code = request.headers.get(HEADER, "")
    if not re.fullmatch(CODE, code):
        raise BadRequest(f"Send the header {HEADER}: the six digits that your authenticator app shows.")
    return code


def demand(proof: Mapping[str, str]) -> None:
    """Return when this shows who asks: as on the page, the password, and the second factor of who has one.

    Raises
    ------
    NotProvenError
        When it does not, or the account is locked.
    TooManyRequests
        When this address tries too often.
    """
    _demand_slow()
    access, whom, now = services().access, auth.whom(), auth.now()
    both = accounts.has_second_factor(access, whom, now)
    if both and "code" not in proof:
        raise NotProvenError("You have a second factor: send a code beside the password.")
    try:
        with services().hashing:
            # A password alone must not make the tries forgotten that were made at the second factor.
            accounts.confirm_password(access, whom, proof["password"], now, forgiving=not both)
    except accounts.LoginError:
        journal.tell("confirming_failed")
        raise NotProvenError("That is not your password; or too many were tried.") from None
    if both:
        _demand_code(proof["code"])


def demand_code(code: str) -> None:
    """The same of a code alone, where the body is a file: of those who all have a second factor.

    Raises
    ------
    NotProvenError, TooManyRequests
        As `demand`.
    """
    _demand_slow()
    _demand_code(code)


def _demand_slow() -> None:
    address, now = request.remote_addr or "", auth.now()
    if not services().logins.allows(address, now):
        raise TooManyRequests(
            "Too many tries from this address; wait a moment.",
            retry_after=services().logins.wait(address, now),
        )


def _demand_code(code: str) -> None:
    if second.given(auth.whom(), code) is None:
        journal.tell("second_factor_failed")
        raise NotProvenError(
            "That code is not the one of this moment, or it was used; or too many were tried."
        )


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
