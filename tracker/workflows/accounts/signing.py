"""Sign-ins are noted for the person themselves, so that they notice one that was not theirs; for 90 days."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Access, Unit, credentials
from tracker.access.credentials import Whom
from tracker.domain.entering import How, SignIn, browser
from tracker.store import factors
from tracker.store.factors import SignInRow
from tracker.workflows.accounts.telling import end_devices

MOST = 50
"""Sign-ins that are listed, newest first."""


def note_sign_in(access: Access, whom: Whom, how: How, agent: str, now: datetime) -> int:
    """Note a sign-in: when, how, and with what kind of browser; no address, no version. Return the number of it."""
    with credentials.writing(access, whom, now) as door:
        return factors.note_sign_in(door.connection, door.owner, SignInRow(now, how.value, browser(agent)))


def log_out(access: Access, whom: Whom, number: int, now: datetime) -> None:
    """End the session of one sign-in, wherever a copy of its cookie lies; all others go on."""
    with credentials.writing(access, whom, now) as door:
        factors.end_sign_in(door.connection, door.owner, number, now)
        end_devices(door, of=number)


def goes_on(unit: Unit, number: int) -> bool:
    """Whether the session of a participant's sign-in was not logged out; read where the session itself is."""
    return factors.goes_on(unit.connection, credentials.owner_of(unit.person), number)


def sign_ins(access: Access, whom: Whom, now: datetime) -> list[SignIn]:
    """Somebody's own sign-ins, newest first."""
    with credentials.reading(access, whom, now) as door:
        found = factors.sign_ins_of(door.connection, door.owner, MOST)
    return [SignIn(row.id, row.at, How(row.how), row.browser, row.ended_at is not None) for row in found]
