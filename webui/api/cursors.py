"""Cursors: where a listing goes on, opaque to programs and signed, so that nobody asks for what they cannot name."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, cast

from flask import current_app
from werkzeug.exceptions import BadRequest

_SIGNATURE = 16
"""Bytes of it: 128 bits that nobody guesses."""


def write(listing: str, place: list[Any]) -> str:
    """A cursor to a place in a listing."""
    told = json.dumps(place).encode()
    return urlsafe_b64encode(_signature(listing, told) + told).decode().rstrip("=")


def read(listing: str, cursor: str) -> list[Any]:
    """The place that a cursor of this listing names.

    Raises
    ------
    BadRequest
        When it is none, or of another listing.
    """
    try:
        signed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        signed = b""
    signature, told = signed[:_SIGNATURE], signed[_SIGNATURE:]
    if not hmac.compare_digest(signature, _signature(listing, told)):
        raise BadRequest("This is no cursor of this listing; begin anew without one.")
    place: list[Any] = json.loads(told)
    return place


def _signature(listing: str, told: bytes) -> bytes:
    key = cast(bytes, current_app.config["SECRET_KEY"])
    return hmac.new(key, f"cursor|{listing}|".encode() + told, hashlib.sha256).digest()[:_SIGNATURE]
