"""Whether a prompt that is due is put: pauses, quiet hours, gap, budget, and the wish to be left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.consent import Use
from tracker.domain.prompting import Because
from tracker.domain.schedules import DAY, Schedule, chance
from tracker.learning.asking import AskingPolicy
from tracker.learning.reasons import Reason
from tracker.learning.vigilance import watchful
from tracker.personal.days import today_of
from tracker.personal.sureness import Sureness, sureness
from tracker.study import Study


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to put a prompt.

    Attributes
    ----------
    withheld
        Why not; None: put it.
    reason
        Why it is put, where the program chose the moment.
    random
        Whether chance decided, so that its answer speaks for all such moments.
    """

    withheld: Because | None = None
    reason: str | None = None
    random: bool = False


def policy_of(study: Study, per_day: int | None = None) -> AskingPolicy:
    """A study's rules as the learner's asking policy reads them."""
    rules = study.asking
    return AskingPolicy(
        per_day=rules.per_day if per_day is None else per_day,
        warm_up_days=rules.warm_up_days,
        audits=rules.audits,
        through_silence=rules.through_silence,
        quiet_from=time.fromisoformat(rules.quiet_from),
        quiet_until=time.fromisoformat(rules.quiet_until),
        gap=timedelta(minutes=rules.gap_minutes),
    )


def verdict(unit: Unit, schedule: Schedule, name: str) -> Verdict:
    """Whether to put a prompt at the instant of a writing unit.

    Parameters
    ----------
    unit
        Its person has granted prompts.
    schedule
        Whose prompt it is.
    name
        Its slot: chance is drawn from it, so that each process and every restart draws the same.
    """
    if hindrance := barred(unit):
        return Verdict(hindrance)
    policy = policy_of(unit.study)
    known = _confident(unit, schedule)
    if known is None:
        return Verdict()
    drawn = chance(unit.study.id, unit.person.subject, name, "through silence")
    if drawn < watchful(policy, known.vigilant).through_silence:
        return Verdict(reason=Reason.RANDOM.value, random=True)
    return Verdict(Because.YIELDING)


def yields(unit: Unit, schedule: Schedule) -> bool:
    """Whether it looks, confidently, like the person would rather be left alone, and the schedule yields to that."""
    return _confident(unit, schedule) is not None


def quiet(unit: Unit) -> bool:
    """Whether the instant of a unit lies in the person's quiet hours."""
    return unit.study.plan.quiet(_local(unit))


def quiet_at(unit: Unit) -> datetime | None:
    """When the person's quiet hours begin next, after the instant of a unit; None: there are none."""
    plan, local = unit.study.plan, _local(unit)
    if plan.quiet_from == plan.quiet_until:
        return None
    left = (plan.quiet_from - local.hour * 60 - local.minute) % DAY or DAY
    # By the clock on the wall; in the hour that comes twice, the second time is meant once the first is over.
    begins = local.replace(second=0, microsecond=0) + timedelta(minutes=left)
    return begins.replace(fold=local.fold).astimezone(UTC)


def barred(unit: Unit) -> Because | None:
    """What forbids any prompt at the instant of a unit, whatever it is about; None: nothing does."""
    if unit.person.paused_at is not None:
        return Because.PAUSED
    policy = policy_of(unit.study)
    if quiet(unit):
        return Because.QUIET_HOURS
    today = today_of(unit, policy)
    if today.since_last is not None and today.since_last < policy.gap:
        return Because.JUST_ASKED
    return Because.BUDGET_SPENT if today.asked >= policy.per_day else None


def _confident(unit: Unit, schedule: Schedule) -> Sureness | None:
    """What the learner thinks where a schedule yields to it; None: nothing, or nothing that it is confident of."""
    policy = policy_of(unit.study)
    today = today_of(unit, policy)
    if not schedule.yields or today.day <= policy.warm_up_days or unit.allowed(Use.LEARN) is None:
        return None
    known = sureness(unit, unit.now, audits=policy.audits)
    return None if known.alone < 0.5 or known.alone < known.threshold else known


def _local(unit: Unit) -> datetime:
    return unit.now.astimezone(ZoneInfo(unit.person.zone))
