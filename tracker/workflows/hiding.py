"""Hide a stretch of time from everybody but oneself, and show it again.

What is hidden is shown to no researcher or rater, counted in no figure, exported to nobody, and learned from by no
learner, until the participant shows it again. It needs no grant: it takes away, and gives nobody anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.instants import InstantError
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.store import exports, hiding, priors, stretches
from tracker.store.hiding import HiddenRow

SHOWN_TO_NOBODY = frozenset({"hidden", "notes", "learning_events"})
"""Tables that are not counted where a person is told what a stretch holds: they hang on what is counted."""


class HiddenError(LookupError):
    """Nothing hidden has this number."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What hiding or showing did.

    Attributes
    ----------
    number
        Of the hidden stretch.
    stretch
        Which it is.
    learners
        How many of the person's learners learned anew.
    exports
        How many earlier exports are marked as outdated.
    """

    number: int
    stretch: Stretch
    learners: int = 0
    exports: int = 0


def hide(access: Access, person: Person, stretch: Stretch, now: datetime) -> Changed:
    """Hide a stretch that has passed; hiding it again changes nothing.

    Raises
    ------
    InstantError
        When it ends in the future: what is recorded then would be hidden before anybody chose so.
    """
    if stretch.end > now:
        raise InstantError(
            f"the stretch ends at {stretch.end.isoformat()}, and it is {now.isoformat(timespec='seconds')} now; "
            "hide what has passed, or pause what is to come"
        )
    with access.write(person.id, now) as unit:
        connection, subject = unit.connection, unit.person.subject
        for row in hiding.standing(connection, subject):
            if row.stretch == stretch:
                return Changed(row.id, stretch)
        held = stretches.counts(connection, subject, person.id, stretch)
        number = hiding.hide(connection, subject, stretch, now)
        flagged = exports.flag(connection, person.id, now) if held else 0
        if held.get("learning_events"):
            # What others' learners start from is fitted anew without it.
            priors.retire_of(connection, subject, now)
        return Changed(number, stretch, _learn_again(unit), flagged)


def show_again(access: Access, person: Person, number: int, now: datetime) -> Changed:
    """Show a hidden stretch again to whom consent allows it, and learn from it again.

    Raises
    ------
    HiddenError
        When the person hides none of this number.
    """
    with access.write(person.id, now) as unit:
        connection, subject = unit.connection, unit.person.subject
        found = {row.id: row.stretch for row in hiding.standing(connection, subject)}
        if number not in found or not hiding.show_again(connection, subject, number, now):
            raise HiddenError(
                f"nothing that is hidden has the number {number}; it may be shown again already"
            )
        return Changed(number, found[number], _learn_again(unit))


def hidden(unit: Unit) -> list[HiddenRow]:
    """What the person of a unit hides now, in order of time."""
    return hiding.standing(unit.connection, unit.person.subject)


def held(unit: Unit, stretch: Stretch) -> Mapping[str, int]:
    """How many rows of each table speak of a stretch: what a person is told before they decide."""
    found = stretches.counts(unit.connection, unit.person.subject, unit.person.id, stretch)
    return {table: n for table, n in found.items() if table not in SHOWN_TO_NOBODY}


def _learn_again(unit: Unit) -> int:
    """Rebase the person's learners: each holds exactly what is not hidden from now on."""
    if unit.allowed(Use.LEARN) is None:
        return 0
    return len(personal.renew_all(unit))
