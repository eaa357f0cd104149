"""What a participant is shown of their prompts: the one to answer now, what is ahead, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from tracker.access import Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.prompting import Because, State, ends_at, state_at
from tracker.domain.readers import Role
from tracker.domain.schedules import Schedule, Slot, days_around, schedule_of, slots
from tracker.learning.reasons import Reason
from tracker.store import hiding, prompting
from tracker.store.prompting import PromptRow

_PUT = {
    Reason.WARM_UP: "In the first days everything is asked, to get to know you.",
    Reason.UNSURE: "I was unsure how you were just then.",
    Reason.RANDOM: "It was drawn at random, to check how often I am right.",
}
_WORDS = {because.value: because.words for because in Because} | {r.value: words for r, words in _PUT.items()}


@dataclass(frozen=True, slots=True)
class Live:
    """A prompt that can be answered now.

    Attributes
    ----------
    prompt
        Its number, for `start`, `dismiss` and ``feedback.correct(…, prompt=…)``.
    slot, schedule
        Its name, and whose it is; empty where it was put by hand.
    scheduled_at, notified_at
        When it fell due, and when it was put.
    started
        Whether it was opened.
    ends_at, left
        From when on it cannot be answered, and how long that is; None: it does not end by itself.
    asks
        Which targets to ask about, in order.
    why
        Why it was put, in a sentence; empty where a schedule said so.
    """

    prompt: int
    slot: str
    schedule: str
    scheduled_at: datetime
    notified_at: datetime | None
    started: bool
    ends_at: datetime | None
    left: timedelta | None
    asks: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A prompt and what became of it.

    Attributes
    ----------
    state
        How it stands at the instant of the unit.
    because, words
        Why it was put, withheld or cancelled (`Because`, or the learner's `Reason`), and that in a sentence.
    zone
        Where the participant was.
    notified_at, pushed_at
        When it was put, which any page shows from then on; and when a push service first took the word that it waits,
        which is None where no device was told.
    """

    prompt: int
    slot: str
    schedule: str
    scheduled_at: datetime
    notified_at: datetime | None
    reminded_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime | None
    state: State
    because: str | None
    words: str
    zone: str
    reminders: int = 0
    pushed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A slot to come. Whoever knows when a random one comes lives differently: show participants the fixed ones alone.

    Attributes
    ----------
    random
        Whether its time was drawn.
    """

    slot: Slot
    random: bool


def live(unit: Unit) -> Live | None:
    """The prompt to answer now: of those that wait, the one that ends first; None where none does.

    There is none without the scope prompts, in a pause or in a closed study, whatever is written down.
    """
    if unit.allowed(Use.PROMPT) is None or unit.person.paused_at is not None or unit.study.closed:
        return None
    waiting = [
        row
        for row in prompting.waiting(unit.connection, unit.person.subject)
        if state_at(row.prompt, unit.now).open
    ]
    return live_of(unit, min(waiting, key=_urgency)) if waiting else None


def live_of(unit: Unit, row: PromptRow) -> Live:
    """What is shown of a prompt that can be answered."""
    prompt, end = row.prompt, ends_at(row.prompt)
    name = schedule_of(prompt.slot) or ""
    schedule = unit.study.plan.schedule(name) or Schedule(name)
    return Live(
        row.id,
        prompt.slot,
        name,
        prompt.scheduled_at,
        prompt.notified_at,
        prompt.started_at is not None,
        end,
        end - unit.now if end is not None else None,
        schedule.asks,
        _told(prompt.reason),
    )


def upcoming(unit: Unit, until: datetime) -> list[Ahead]:
    """What falls due after the instant of the unit and by `until`, in order, as far as it is known where the person is.

    None where prompts are not allowed. After events nothing can be foretold.
    """
    if unit.allowed(Use.PROMPT) is None or unit.study.closed:
        return []
    plan, person = unit.study.plan, unit.person
    ahead = max((until - unit.now).days, 0) + 2
    days = days_around(unit.now + timedelta(days=ahead), person.zone, ahead + 1)
    found = chain.from_iterable(slots(plan, person.subject, day, person.zone) for day in days)
    wanted = {slot.name: slot for slot in found if unit.now < slot.at <= until and slot.lost is None}
    there = prompting.taken(unit.connection, person.subject, wanted.keys())
    fixed = {s.id: len(s.times) for s in plan.schedules}
    return sorted(
        (
            Ahead(slot, int(name.rpartition(":")[2]) >= fixed[slot.schedule])
            for name, slot in wanted.items()
            if name not in there
        ),
        key=lambda ahead: ahead.slot.at,
    )


def history(unit: Unit, start: datetime, end: datetime) -> list[Past]:
    """The prompts that fell due in [start, end) and what became of them, in order; for the participant's own eyes.

    It needs no grant: who withdraws may still see what was asked until it is erased. Anybody else reads
    `history_for_staff`.
    """
    rows = prompting.between(unit.connection, unit.person.subject, start, end, unit.horizons())
    return [_past(row, unit.now) for row in rows]


def history_for_staff(unit: Unit, role: Role, start: datetime, end: datetime) -> list[Past]:
    """The same for somebody of the staff: what the person's grants cover, and nothing that they hide.

    Raises
    ------
    ConsentMissingError
        When they do not allow it.
    """
    since = demand_for_staff(unit, role)
    hidden = hiding.stretches(unit.connection, unit.person.subject)
    rows = prompting.between(
        unit.connection, unit.person.subject, max(start, since), end, unit.horizons(), hidden
    )
    return [_past(row, unit.now) for row in rows]


def histories_for_staff(
    units: Sequence[Unit], role: Role, starts: Sequence[datetime], end: datetime
) -> list[list[Past]]:
    """`history_for_staff` of many people, whose units share a snapshot, with two queries.

    Parameters
    ----------
    starts
        From when on, person by person.

    Raises
    ------
    ConsentMissingError
        When one of them does not allow it.
    """
    alike: dict[frozenset[tuple[Scope, datetime]], dict[str, datetime]] = {}
    for unit, start in zip(units, starts, strict=True):
        # The same for everybody, but for one whose last choice another machine's clock put ahead of this one.
        ages = frozenset(unit.horizons().items())
        alike.setdefault(ages, {})[unit.person.subject] = max(start, demand_for_staff(unit, role))
    if not units:
        return []
    connection, found = units[0].connection, dict[str, list[PromptRow]]()
    hidden = hiding.stretches_of(connection, [unit.person.subject for unit in units])
    for ages, since in alike.items():
        found |= prompting.between_each(connection, since, end, dict(ages), hidden)
    return [[_past(row, unit.now) for row in found.get(unit.person.subject, ())] for unit in units]


def demand_for_staff(unit: Unit, role: Role) -> datetime:
    """From when on a person lets somebody of the staff see what they were asked.

    Raises
    ------
    ConsentMissingError
        When they do not.
    """
    uses = (Use.PROMPT, Use.LOOK) if role is Role.RESEARCHER else (Use.PROMPT,)
    return max(unit.permit(use).covers_from for use in uses)


def compliance(past: Iterable[Past]) -> Counter[State]:
    """How many prompts stand in which state.

    Examples
    --------
    >>> compliance([])
    Counter()
    """
    return Counter(one.state for one in past)


def _past(row: PromptRow, now: datetime) -> Past:
    prompt = row.prompt
    return Past(
        row.id,
        prompt.slot,
        schedule_of(prompt.slot) or "",
        prompt.scheduled_at,
        prompt.notified_at,
        prompt.reminded_at,
        prompt.started_at,
        prompt.completed_at,
        prompt.expires_at,
        state_at(prompt, now),
        prompt.reason,
        _told(prompt.reason),
        row.zone,
        prompt.reminders,
        prompt.pushed_at,
    )


def _told(reason: str | None) -> str:
    return _WORDS.get(reason or "", "")


def _urgency(row: PromptRow) -> tuple[bool, float, int]:
    end = ends_at(row.prompt)
    return end is None, end.timestamp() if end is not None else 0.0, row.id
