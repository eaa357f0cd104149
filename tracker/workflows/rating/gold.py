"""Items whose answer is known: put among the others, hidden, to see how well faces can be read at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.domain.affect import Distribution
from tracker.domain.consent import ConsentMissingError
from tracker.domain.members import Member, Role
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import rating_decisions, timeline
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors


@dataclass(frozen=True, slots=True)
class Gold:
    """An item whose answer is known.

    Attributes
    ----------
    participant, observation, at
        Whose moment it is, and which.
    answer
        What is known of it.
    """

    participant: str
    observation: int
    at: datetime
    answer: Distribution


def set_gold(
    access: Access, member: Member, person: Person, observation: int, answer: Distribution, now: datetime
) -> None:
    """Say that the answer to an item is known; who says it is not given it to rate.

    Raises
    ------
    NoRaterError
        When they are neither researcher nor operator of this study.
    ItemClosedError
        When there is no such picture, or its participant does not show it to raters.
    """
    with doors.writing(access, person.subject, now) as unit:
        doors.demand_role(unit.connection, member, unit.study, Role.RESEARCHER, Role.OPERATOR)
        permit = doors.demand_open(unit, observation)
        rating_decisions.set_gold(
            unit.connection, permit, person.subject, observation, answer, member.id, now
        )


def remove_gold(access: Access, person: Person, observation: int, now: datetime) -> bool:
    """Say that the answer to an item is not known after all; return whether it was."""
    with access.write(person.id, now) as unit:
        return rating_decisions.remove_gold(unit.connection, person.subject, observation)


def gold(access: Access, now: datetime) -> list[Gold]:
    """The items whose answer is known, of everybody who shows them to raters now."""
    found: list[Gold] = []
    for person in access.everyone():
        try:
            with access.read(person.id, now) as unit:
                doors.permit_of(unit)
                known = rating_decisions.gold_of(unit.connection, person.subject)
                for observation, answer in known.items():
                    reading = timeline.reading_of(unit.connection, observation)
                    if reading is not None:
                        found.append(Gold(person.name, observation, reading.at, answer))
        except (ConsentMissingError, UnknownParticipantError, StudyClosedError):
            continue
    return found
