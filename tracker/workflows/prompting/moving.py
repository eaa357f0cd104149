"""Where a participant is: prompts follow the clock on their wall, and what was asked elsewhere keeps its zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.instants import require_zone
from tracker.domain.people import Person
from tracker.store import people, prompting


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of zone did.

    Attributes
    ----------
    before, after
        The zones; equal where nothing changed.
    noted
        Whether it stands in the history of zones, which rests on the scope prompts.
    """

    before: str
    after: str
    noted: bool


def move(access: Access, person: Person, zone: str, now: datetime) -> Moved:
    """Set a participant's time zone from now on.

    What falls due today falls due by the new clock; what was put already is not put again, and what the new clock has
    passed is withheld, with that reason. Without the scope prompts only the zone itself is kept, and no history.

    Raises
    ------
    InstantError
        When the zone is unknown.
    UnknownParticipantError
        When they were erased.
    """
    require_zone(zone)
    with access.write(person.id, now) as unit:
        before = unit.person.zone
        if before == zone:
            return Moved(before, zone, noted=False)
        people.set_zone(unit.connection, person.id, zone)
        permit = unit.allowed(Use.PROMPT)
        if permit is None:
            return Moved(before, zone, noted=False)
        subject = unit.person.subject
        if not prompting.zones_of(unit.connection, subject):
            first = max(unit.person.enrolled_at, permit.covers_from)
            prompting.add_zone(unit.connection, permit, subject, before, min(first, now), now)
        prompting.add_zone(unit.connection, permit, subject, zone, now, now)
        return Moved(before, zone, noted=True)


def zones(unit: Unit) -> list[tuple[datetime, str]]:
    """Where a participant said that they were, each with since when, in order; for their own eyes."""
    return prompting.zones_of(unit.connection, unit.person.subject, unit.horizons())
