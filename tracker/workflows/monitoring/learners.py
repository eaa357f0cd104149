"""How somebody's learners fare: right or wrong before they knew, week by week, beside what they should beat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.consent import Use
from tracker.personal import drifting, telling
from tracker.personal.figures import Judged, Stretch, judge, over_time
from tracker.personal.learners import live
from tracker.personal.reliability import Reliability, reliability

__all__ = ["Fared", "Stretch", "fared"]


@dataclass(frozen=True, slots=True)
class Fared:
    """How one learner of a person fared in the window that it learns from.

    Attributes
    ----------
    target
        What it learns.
    whole
        Over the whole window.
    weeks
        By weeks, oldest first.
    drifts
        The local days since which its estimates fitted less well.
    reliability
        How sure it said it was beside how often it was right, and the same of what it should beat; of numbers none.
    """

    target: str
    whole: Judged
    weeks: tuple[Stretch, ...]
    drifts: tuple[date, ...]
    reliability: tuple[Reliability, ...] = ()


def fared(unit: Unit, since: datetime) -> list[Fared]:
    """How each learner of the person of a unit fared; nothing where they let nothing be learned.

    Parameters
    ----------
    since
        From which instant on they let it be seen: only answers of such moments count.
    """
    if unit.allowed(Use.LEARN) is None:
        return []
    zone, found = ZoneInfo(unit.person.zone), []
    for target in sorted(live(unit)):
        answers = [answer for answer in telling.answers(unit, target) if answer.at >= since]
        if answers:
            # When it began, not when it was noticed; one that began before that is not theirs to see.
            began = [d.since for d in drifting.drifted(unit, target) if d.since >= since]
            drifts = tuple(at.astimezone(zone).date() for at in began)
            weeks, sure = over_time(target, answers, zone), reliability(target, answers)
            found.append(Fared(target, judge(target, answers), weeks, drifts, sure))
    return found
