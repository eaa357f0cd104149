"""Enrol a participant, and give them the one-time code with which they confirm and first log in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, Unit
from tracker.domain.instants import InstantError, require_zone
from tracker.domain.passwords import hash_code, matches, new_code
from tracker.domain.people import EnrolmentError, Person, require_name
from tracker.store import people, studies

CODE_HOLDS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new participant and their one-time code, which is shown once and stored hashed."""

    person: Person
    code: str


def enrol(access: Access, name: str, zone: str | None, now: datetime, *, simulated: bool = False) -> Enrolled:
    """Enrol a participant.

    Parameters
    ----------
    access
        The gate.
    name
        How the operator calls them; sealed at rest, unique.
    zone
        Their IANA time zone; None: the one that the study names for everybody.
    now
        The instant of enrolment (UTC).
    simulated
        Mark everything about them as SIMULATED.

    Raises
    ------
    EnrolmentError
        When the name cannot be used or is taken.
    InstantError
        When the zone is unknown, or neither they nor the study name one.
    StudyClosedError
        When the study is closed.
    """
    person = admit(access, name, zone, now, simulated=simulated)
    return Enrolled(person, renew_code(access, person, now))


def admit(
    access: Access,
    name: str,
    zone: str | None,
    now: datetime,
    *,
    simulated: bool = False,
    within: Callable[[Unit], None] | None = None,
) -> Person:
    """Enrol a participant without a one-time code.

    Parameters
    ----------
    access, name, zone, now, simulated
        As in `enrol`.
    within
        What is stored about them in the same transaction, or they are not enrolled; None: nothing.

    Raises
    ------
    EnrolmentError, InstantError
        As `enrol`.
    """
    require_name(name)
    with access.database.read() as connection:
        study = studies.in_force(connection)
        study.demand_open("nobody is enrolled")
    if (zone := zone or study.zone) is None:
        raise InstantError("the study names no time zone; say theirs, for example --zone Europe/Berlin")
    require_zone(zone)
    return access.admit(name, zone, now, simulated=simulated, within=within)


def renew_code(access: Access, person: Person, now: datetime) -> str:
    """Make a new one-time code; the one before it stops working."""
    code = new_code()
    with access.write(person.id, now) as unit:
        people.set_account(
            unit.connection,
            person.id,
            code_hash=hash_code(code),
            code_expires_at=now + CODE_HOLDS,
        )
    return code


def use_code(unit: Unit, code: str) -> None:
    """Use up a person's one-time code, in the writing unit of what it is used for.

    Raises
    ------
    EnrolmentError
        When it is wrong, used or too old.
    """
    person = unit.person
    account = people.account(unit.connection, person.id)
    valid = (
        account is not None
        and account.code_expires_at is not None
        and account.code_expires_at >= unit.now
        and matches(account.code_hash, code)
    )
    if not valid:
        raise EnrolmentError(
            f"that code is not the one that {person.name} was given, or it was used or is older than "
            f"{CODE_HOLDS.days} days; make a new one: affect-tracker code {person.name!r}"
        )
    people.set_account(unit.connection, person.id, code_hash=None, code_expires_at=None)


def pause(access: Access, person: Person, now: datetime) -> None:
    """Stop storing the series until the participant resumes it."""
    with access.write(person.id, now) as unit:
        if unit.person.paused_at is None:
            people.set_paused(unit.connection, person.id, now)


def resume(access: Access, person: Person, now: datetime) -> None:
    """Allow the series to be stored again."""
    with access.write(person.id, now) as unit:
        people.set_paused(unit.connection, person.id, None)
