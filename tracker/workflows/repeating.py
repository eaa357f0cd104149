"""Requests that a program may send again: each is carried out once, and answered the same for a day.

A key is its person's own. The first request with it claims it, and the answer is kept, sealed under that person's key,
until a day has passed or anything of theirs is erased. One that was claimed and never answered (the process died, or
the request failed) is carried out anew: what failed stored nothing, and what a process left half done was rolled back.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, credentials
from tracker.access.credentials import Whom
from tracker.store import repeats
from tracker.store.repeats import RepeatRow

HOLDS = timedelta(hours=24)
"""For how long the same key means the same request."""

PATIENCE = timedelta(minutes=2)
"""After this a request that was never answered is taken for lost; no request takes so long."""

_KEYS = "idempotency keys"
_PLACE = "repeats.sealed|{}"


class OtherRequestError(ValueError):
    """A key was used before for another request."""

    def __init__(self) -> None:
        super().__init__("this key was used for another request; every new request has a new key")


class UnderWayError(ValueError):
    """The same request is being answered just now."""

    def __init__(self) -> None:
        super().__init__("this very request is being carried out just now; send it again in a moment")


@dataclass(frozen=True, slots=True)
class Repeated:
    """What was answered the first time."""

    status: int
    answer: bytes


def claim(access: Access, whom: Whom, key: str, asked: bytes, now: datetime) -> str | Repeated:
    """Begin a request, or give what it was answered before.

    Parameters
    ----------
    access, whom, now
        The gate, who asks, and the instant (UTC).
    key
        As the program chose it.
    asked
        Everything that makes the request what it is.

    Returns
    -------
    str or Repeated
        The number of the claim, for `keep` or `release`; or the answer.

    Raises
    ------
    OtherRequestError
        When the key was used for another request.
    UnderWayError
        When the same request is being answered.
    """
    digest = access.vault.digester(_KEYS)
    # Keyed too: of what is short, such as an answer, a bare digest would tell what it was to whoever tries it all.
    keyed, meant = digest(f"{whom.id}|{key}"), digest(f"asked|{hashlib.sha256(asked).hexdigest()}")
    number = secrets.token_hex(16)
    with credentials.writing(access, whom, now) as door:
        before = repeats.find(door.connection, door.owner, keyed)
        if before is not None and before.claimed_at > now - HOLDS:
            if before.asked_digest != meant:
                raise OtherRequestError
            if before.status is not None and before.sealed is not None:
                place = _PLACE.format(before.id)
                return Repeated(before.status, access.vault.open(whom.id, door.purpose, before.sealed, place))
            if before.claimed_at > now - PATIENCE:
                raise UnderWayError
        if before is not None:
            repeats.release(door.connection, door.owner, before.id)
        repeats.claim(door.connection, door.owner, RepeatRow(number, keyed, meant, None, None, now))
    return number


def keep(access: Access, whom: Whom, number: str, status: int, answer: bytes, now: datetime) -> bool:
    """Keep the answer to a request; False where the claim is gone: something of theirs was erased meanwhile."""
    with credentials.writing(access, whom, now) as door:
        sealed = access.vault.seal(whom.id, door.purpose, answer, _PLACE.format(number))
        return repeats.keep(door.connection, door.owner, number, status, sealed)


def release(access: Access, whom: Whom, number: str, now: datetime) -> None:
    """Give a claim back: the request failed, so that it may be tried again."""
    with credentials.writing(access, whom, now) as door:
        repeats.release(door.connection, door.owner, number)
