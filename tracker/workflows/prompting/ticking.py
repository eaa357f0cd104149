"""Do what is due for one person: put, withhold, recall and end their prompts.

Nothing is planned ahead: what a day holds is computed anew each time, and what was done stands in the prompts' rows,
one for each slot. So it does not matter who calls this, how often, how late, or whether the one before was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, pairwise

from tracker.access import Access, Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.people import Person
from tracker.domain.prompting import Because, State, Step, advance, state_at
from tracker.domain.schedules import (
    Event,
    Schedule,
    Slot,
    chance,
    days_around,
    event_name,
    schedule_of,
    slots,
)
from tracker.domain.series import Prompt
from tracker.learning.asking import decide
from tracker.learning.choosing import Action
from tracker.learning.vigilance import watchful
from tracker.personal.days import today_of
from tracker.personal.sureness import sureness
from tracker.store import feedback, prompting, pushing, studies
from tracker.store.prompting import PromptRow
from tracker.workflows.prompting.deciding import Verdict, barred, policy_of, verdict

LOOK_BACK = 7
"""For so many days what fell due while nothing ran is written down as withheld."""

FRESH = timedelta(minutes=10)
"""A face that was seen longer ago is asked about no more: the person has gone on."""

MOMENTS = timedelta(minutes=30)
"""How often it is looked whether the learner is unsure: the random shares are shares of these moments."""

SOON = timedelta(minutes=2)
"""How late such a moment may be looked at; one that was missed is missed for good."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """What was done for one person: how many prompts were put, withheld, recalled, ended and taken back."""

    put: int = 0
    withheld: int = 0
    reminded: int = 0
    expired: int = 0
    cancelled: int = 0

    def __add__(self, other: Ticked) -> Ticked:
        """Both together."""
        return Ticked(
            self.put + other.put,
            self.withheld + other.withheld,
            self.reminded + other.reminded,
            self.expired + other.expired,
            self.cancelled + other.cancelled,
        )


def tick(access: Access, person: Person, now: datetime) -> Ticked:
    """Do what is due for a person, in one transaction; nothing where they do not allow prompts.

    Parameters
    ----------
    access, person
        The gate, and whom.
    now
        The instant (UTC); call it about every minute.

    Raises
    ------
    UnknownParticipantError
        When they were erased.
    """
    with access.read(person.id, now) as unit:
        if not _anything(unit):
            return Ticked()
    with access.write(person.id, now) as unit:
        # Looked at anew under the lock: another process may have been here in between.
        if unit.allowed(Use.PROMPT) is None or unit.study.closed:
            return Ticked()
        permit = unit.keeping(unit.permit(Use.PROMPT), Scope.PROMPTS)
        done = Ticked()
        for row in prompting.waiting(unit.connection, unit.person.subject):
            if (step := _step(unit, row)) is not None:
                done += _taken(unit, permit, row, step)
        for slot in _due(unit):
            done += _settled(unit, permit, slot)
        for schedule, at in _events(unit):
            done += _after_event(unit, permit, schedule, at)
        return done


def _anything(unit: Unit) -> bool:
    if unit.allowed(Use.PROMPT) is None or unit.study.closed:
        return False
    waiting = prompting.waiting(unit.connection, unit.person.subject)
    return any(_step(unit, row) for row in waiting) or bool(_due(unit)) or bool(_events(unit))


def _step(unit: Unit, row: PromptRow) -> Step | None:
    """What is due for a prompt that waits."""
    prompt, now = row.prompt, unit.now
    state = state_at(prompt, now)
    if state is State.EXPIRED:
        return Step.EXPIRE
    plan = unit.study.plan
    schedule = plan.schedule(schedule_of(prompt.slot) or "")
    if schedule is None:
        planned = schedule_of(prompt.slot) is not None
        return Step.CANCEL if planned and state is not State.STARTED else None
    if state is State.STARTED or prompt.reminders >= schedule.reminders or unit.person.paused_at is not None:
        return None
    last = prompt.reminded_at or prompt.notified_at
    due = last is not None and now >= last + schedule.remind_after
    return Step.REMIND if due and barred(unit) is not Because.QUIET_HOURS else None


def _taken(unit: Unit, permit: Permit, row: PromptRow, step: Step) -> Ticked:
    because = Because.STUDY_CHANGED if step is Step.CANCEL else None
    after = prompting.take(unit.connection, permit, row, step, unit.now, because)
    if step is Step.REMIND:
        _tell_devices(unit, permit, row.id, after.prompt.reminders)
    return Ticked(reminded=step is Step.REMIND, expired=step is Step.EXPIRE, cancelled=step is Step.CANCEL)


def _due(unit: Unit) -> list[Slot]:
    """The slots that have fallen due and have no prompt yet, in order."""
    plan, person, now = unit.study.plan, unit.person, unit.now
    if not plan.schedules:
        return []
    since = _since(unit)
    back = min(max((now - since).days + 1, 1), LOOK_BACK)
    found = chain.from_iterable(
        slots(plan, person.subject, day, person.zone) for day in days_around(now, person.zone, back)
    )
    due = {slot.name: slot for slot in found if since <= slot.at <= now}
    there = prompting.taken(unit.connection, person.subject, due.keys())
    left = [slot for name, slot in due.items() if name not in there]
    return sorted((slot for slot in left if not _of_before(unit, slot, since)), key=lambda s: (s.at, s.name))


def _of_before(unit: Unit, slot: Slot, since: datetime) -> bool:
    """Whether a slot had fallen due before anything counted, where the person was until they moved here."""
    person, plan = unit.person, unit.study.plan
    history = prompting.zones_of(unit.connection, person.subject)
    left = [zone for (_, zone), (moved, _) in pairwise(history) if slot.at < moved <= unit.now]
    there = chain.from_iterable(slots(plan, person.subject, slot.day, zone) for zone in left)
    return any(other.name == slot.name and other.at < since for other in there)


def _since(unit: Unit) -> datetime:
    """From which instant on slots count: since prompts are allowed, the study asks, and retention keeps them."""
    version = studies.newest(unit.connection)
    known = [
        unit.grants()[Scope.PROMPTS].recorded_at,
        unit.person.enrolled_at,
        unit.now - timedelta(days=LOOK_BACK),
        version.applied_at if version is not None else None,
        unit.readable_from(Scope.PROMPTS),
    ]
    return max(at for at in known if at is not None)


def _settled(unit: Unit, permit: Permit, slot: Slot) -> Ticked:
    """Put a prompt that is due, or write down why not."""
    schedule = unit.study.plan.schedule(slot.schedule)
    assert schedule is not None, "a slot is of a schedule of its plan"
    due = Prompt(slot.name, slot.at, None, None, None, State.SCHEDULED.value, expires_at=slot.expires_at)
    if slot.lost is not None:
        return _write(unit, permit, due, Verdict(slot.lost))
    if unit.now - slot.at >= schedule.expires / 2:
        return _write(unit, permit, due, Verdict(_why_late(unit, slot)))
    return _write(unit, permit, due, verdict(unit, schedule, slot.name))


def _why_late(unit: Unit, slot: Slot) -> Because:
    history = prompting.zones_of(unit.connection, unit.person.subject)
    # The first entry says where they had been all the while.
    moved = any(slot.at < since <= unit.now for since, _ in history[1:])
    return Because.ZONE_CHANGED if moved else Because.LATE


def _write(unit: Unit, permit: Permit, due: Prompt, said: Verdict) -> Ticked:
    if said.withheld is not None:
        prompt = advance(due, Step.WITHHOLD, unit.now, said.withheld)
    else:
        prompt = replace(advance(due, Step.NOTIFY, unit.now, said.reason), random=said.random)
    person = unit.person
    new = feedback.put_prompt(unit.connection, permit, person.subject, person.zone, prompt, unit.now)
    if new is None:
        return Ticked()
    if said.withheld is None:
        _tell_devices(unit, permit, new, 0)
    return Ticked(put=said.withheld is None, withheld=said.withheld is not None)


def _tell_devices(unit: Unit, permit: Permit, prompt: int, number: int) -> None:
    """Have devices told once this has committed; none is, unless study and participant both switched it on."""
    if unit.study.asking.web_push:
        pushing.queue(unit.connection, permit, unit.person.subject, prompt, number, unit.now)


def _events(unit: Unit) -> list[tuple[Schedule, datetime]]:
    """The events after which a prompt may follow now and has not, with their instants."""
    plan, person, found = unit.study.plan, unit.person, []
    today = next(iter(days_around(unit.now, person.zone, 0)))
    for schedule in plan.schedules:
        if schedule.after is None or today.weekday() not in schedule.days:
            continue
        at = _face(unit, schedule) if schedule.after is Event.FACE_AFTER_GAP else _moment(unit)
        if at is not None and at >= _since(unit):
            name = event_name(schedule.id, at)
            if not prompting.taken(unit.connection, person.subject, [name]):
                found.append((schedule, at))
    return found


def _face(unit: Unit, schedule: Schedule) -> datetime | None:
    """When a face was seen just now after none had been for long enough."""
    permit = unit.allowed(Use.STORE_SERIES)
    if permit is None:
        return None
    connection, subject, now = unit.connection, unit.person.subject, unit.now
    at = prompting.first_face(connection, permit, subject, now - FRESH - schedule.unseen, now)
    return at if at is not None and at > now - FRESH else None


def _moment(unit: Unit) -> datetime | None:
    since_epoch = timedelta(seconds=unit.now.timestamp())
    late = since_epoch % MOMENTS
    return unit.now - late if late < SOON and unit.allowed(Use.LEARN) is not None else None


def _after_event(unit: Unit, permit: Permit, schedule: Schedule, at: datetime) -> Ticked:
    name = event_name(schedule.id, at)
    due = Prompt(name, at, None, None, None, State.SCHEDULED.value, expires_at=at + schedule.expires)
    if schedule.after is Event.FACE_AFTER_GAP:
        return _write(unit, permit, due, verdict(unit, schedule, name))
    said = _unsure(unit, permit, schedule, name)
    # What was never to come is not withheld: only moments at which it asks have a prompt.
    return _write(unit, permit, due, said) if said is not None else Ticked()


def _unsure(unit: Unit, permit: Permit, schedule: Schedule, name: str) -> Verdict | None:
    if barred(unit) is not None:
        return None
    person = unit.person
    policy = policy_of(unit.study, unit.study.asking.unsure_per_day)
    today = today_of(unit, policy)
    day = unit.now - timedelta(days=1)
    own = prompting.put_of(unit.connection, permit, person.subject, schedule.id, day)
    known = sureness(unit, unit.now, audits=policy.audits)
    decision = decide(
        watchful(policy, known.vigilant),
        replace(today, asked=own),
        alone=known.alone,
        threshold=known.threshold,
        u=chance(unit.study.id, person.subject, name),
        novelty=known.novelty,
    )
    if decision.action is not Action.ASK:
        return None
    return Verdict(reason=decision.because.value, random=decision.audit)
