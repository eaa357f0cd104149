"""Compliance: prompts sent, answered, late and missed, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.consent import Scope
from tracker.domain.instants import first_day
from tracker.domain.prompting import Because, State
from tracker.domain.readers import Role
from tracker.learning.reasons import Reason
from tracker.workflows.prompting.shown import Past, demand_for_staff, histories_for_staff, history_for_staff

_BY_LEARNER = frozenset(reason.value for reason in Reason)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of somebody on one day of theirs, and what came of it.

    Attributes
    ----------
    put
        Prompts that reached them.
    answered, late
        Those that were answered; of these, after a reminder or after their time was over.
    missed, put_away, waiting
        Those that ran out, that they put away, and that can still be answered.
    withheld
        Prompts that were due and not put, with a reason; not among `put`.
    by_learner
        Of `put`, those that the learner's asking policy put.
    """

    put: int = 0
    answered: int = 0
    late: int = 0
    missed: int = 0
    put_away: int = 0
    waiting: int = 0
    withheld: int = 0
    by_learner: int = 0

    def __add__(self, other: Asked) -> Asked:
        """Both together."""
        return Asked(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def complied(unit: Unit, role: Role, days: int) -> dict[date, Asked]:
    """What was asked of the person of a unit in their last days, for somebody of the staff.

    Days without a prompt are not there.

    Raises
    ------
    ConsentMissingError
        When they do not let it be seen.
    """
    zone = ZoneInfo(unit.person.zone)
    start = datetime.combine(first_day(unit.now, zone, days), datetime.min.time(), zone)
    return by_day(history_for_staff(unit, role, start, unit.now + timedelta(seconds=1)))


def complied_each(units: Sequence[Unit], role: Role, days: int) -> list[dict[date, Asked]]:
    """`complied` of many people, whose units share a snapshot: person by person, with two queries.

    Raises
    ------
    ConsentMissingError
        When one of them does not let it be seen.
    """
    if not units:
        return []
    zones = [ZoneInfo(unit.person.zone) for unit in units]
    starts = [
        datetime.combine(first_day(unit.now, zone, days), datetime.min.time(), zone)
        for unit, zone in zip(units, zones, strict=True)
    ]
    found = histories_for_staff(units, role, starts, units[0].now + timedelta(seconds=1))
    return [by_day(past) for past in found]


def told_from(unit: Unit, role: Role) -> datetime:
    """From when on somebody of the staff is told what a person was asked; of what was before nothing is known.

    Raises
    ------
    ConsentMissingError
        When they do not let it be seen.
    """
    since = demand_for_staff(unit, role)
    return max(since, unit.horizons().get(Scope.PROMPTS, since))


def by_day(past: Iterable[Past]) -> dict[date, Asked]:
    """Count prompts by the day on which they fell due where the person was."""
    days: dict[date, Asked] = {}
    for one in past:
        if one.state is State.SCHEDULED:
            continue
        day = one.scheduled_at.astimezone(ZoneInfo(one.zone)).date()
        days[day] = days.get(day, Asked()) + _counted(one)
    return days


def _counted(one: Past) -> Asked:
    if one.state is State.WITHHELD or (one.state is State.CANCELLED and one.notified_at is None):
        return Asked(withheld=1)
    put = Asked(put=1, by_learner=int(one.because in _BY_LEARNER))
    match one.state:
        case State.COMPLETED:
            return replace(put, answered=1, late=int(_late(one)))
        case State.EXPIRED:
            return replace(put, missed=1)
        case State.CANCELLED:
            # Taken back by the study: nobody could answer it any more, and nobody put it away.
            return replace(put, put_away=1) if one.because == Because.DISMISSED else Asked(withheld=1)
    return replace(put, waiting=1)


def _late(one: Past) -> bool:
    over = one.completed_at is not None and one.expires_at is not None and one.completed_at > one.expires_at
    return one.reminders > 0 or over
