"""The states of a prompt and the steps between them: one function, and everything that is not a step is refused.

Scheduled -> notified -> reminded … -> started -> completed, or expired, withheld (with a reason) or cancelled. That a
prompt has expired follows from its times: a job only writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from tracker.domain.series import Prompt

GRACE = timedelta(minutes=10)
"""Who began in time may finish for so long after that, whatever the clock says."""

DELIVERED_WITHIN = timedelta(days=2)
"""How long after it was given an answer may still come in from a phone that was offline."""


class State(StrEnum):
    """How a prompt stands."""

    SCHEDULED = "scheduled"
    NOTIFIED = "notified"
    REMINDED = "reminded"
    STARTED = "started"
    COMPLETED = "completed"
    EXPIRED = "expired"
    WITHHELD = "withheld"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        """Whether it can be answered, unless its time is over."""
        return self in OPEN


OPEN = frozenset({State.NOTIFIED, State.REMINDED, State.STARTED})
"""States in which a prompt waits for an answer."""

_ENDED = frozenset({State.COMPLETED, State.CANCELLED})


class Step(StrEnum):
    """What can happen to a prompt."""

    NOTIFY = "notify"
    REMIND = "remind"
    START = "start"
    COMPLETE = "complete"
    EXPIRE = "expire"
    WITHHOLD = "withhold"
    CANCEL = "cancel"


class Because(StrEnum):
    """Why a prompt was not put, or was taken back."""

    YIELDING = "yielding"
    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    JUST_ASKED = "just_asked"
    BUDGET_SPENT = "budget_spent"
    LATE = "late"
    ZONE_CHANGED = "zone_changed"
    NO_ROOM = "no_room"
    NO_SUCH_TIME = "no_such_time"
    STUDY_CHANGED = "study_changed"
    DISMISSED = "dismissed"

    @property
    def words(self) -> str:
        """One plain sentence to the participant."""
        return _WORDS[self]


_WORDS: Mapping[Because, str] = MappingProxyType(
    {
        Because.YIELDING: "It looked like you would rather be left alone.",
        Because.PAUSED: "You had paused.",
        Because.QUIET_HOURS: "It would have been in your quiet hours.",
        Because.JUST_ASKED: "You had been asked a short while before.",
        Because.BUDGET_SPENT: "The day's questions had all been put.",
        Because.LATE: "The program was not running when it was due.",
        Because.ZONE_CHANGED: "Its time had passed where you had just arrived.",
        Because.NO_ROOM: "The change of clocks left no room for it.",
        Because.NO_SUCH_TIME: "The change of clocks left out its time.",
        Because.STUDY_CHANGED: "The study had changed, and does not ask it any more.",
        Because.DISMISSED: "You put it away.",
    }
)

_WAITING = {
    Step.REMIND: State.REMINDED,
    Step.START: State.STARTED,
    Step.COMPLETE: State.COMPLETED,
    Step.EXPIRE: State.EXPIRED,
    Step.CANCEL: State.CANCELLED,
}

LEGAL: Mapping[State, Mapping[Step, State]] = MappingProxyType(
    {
        State.SCHEDULED: {
            Step.NOTIFY: State.NOTIFIED,
            Step.WITHHOLD: State.WITHHELD,
            Step.CANCEL: State.CANCELLED,
        },
        State.NOTIFIED: _WAITING,
        State.REMINDED: _WAITING,
        State.STARTED: {step: _WAITING[step] for step in (Step.COMPLETE, Step.EXPIRE, Step.CANCEL)},
        # An answer that was given in time, and delivered when the phone was online again.
        State.EXPIRED: {Step.COMPLETE: State.COMPLETED},
    }
)
"""Which step leads from where to where; all others are refused."""

_OLDER = {
    "open": State.NOTIFIED,
    "answered": State.COMPLETED,
    "late": State.COMPLETED,
    "missed": State.EXPIRED,
}
"""What states were called before there were schedules; imported series use these words too."""


class IllegalStepError(ValueError):
    """A prompt cannot take this step from where it stands."""

    def __init__(self, slot: str, state: State, step: Step, why: str) -> None:
        super().__init__(f"prompt {slot} is {state.value} and cannot {step.value}: {why}")
        self.state, self.step = state, step


def recorded_state(prompt: Prompt) -> State:
    """The state that is written down; words of another program count as over.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> recorded_state(Prompt("a", noon, noon, None, None, "open"))
    <State.NOTIFIED: 'notified'>
    """
    try:
        return State(prompt.state)
    except ValueError:
        return _OLDER.get(prompt.state, State.EXPIRED)


def ends_at(prompt: Prompt) -> datetime | None:
    """From which instant on it cannot be answered any more; None: it does not end by itself.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> late = noon + timedelta(minutes=29)
    >>> asked = Prompt("a", noon, noon, late, None, "started", expires_at=noon + timedelta(minutes=30))
    >>> ends_at(asked).time().isoformat()
    '12:39:00'
    """
    if prompt.expires_at is None:
        return None
    if prompt.started_at is None or prompt.started_at >= prompt.expires_at:
        return prompt.expires_at
    return max(prompt.expires_at, prompt.started_at + GRACE)


def state_at(prompt: Prompt, now: datetime) -> State:
    """How a prompt stands at an instant, whether or not a job has written it down.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> asked = Prompt("a", noon, noon, None, None, "notified", expires_at=noon + timedelta(minutes=30))
    >>> [state_at(asked, noon + timedelta(minutes=m)).value for m in (29, 30)]
    ['notified', 'expired']
    """
    state, end = recorded_state(prompt), ends_at(prompt)
    return State.EXPIRED if state.open and end is not None and now >= end else state


def advance(
    prompt: Prompt,
    step: Step,
    at: datetime,
    because: Because | str | None = None,
    *,
    known: datetime | None = None,
) -> Prompt:
    """Take one step; the only place in which a prompt changes.

    Parameters
    ----------
    prompt
        As it stands.
    step
        What happens to it.
    at
        When (UTC). A step that opens or answers it is judged by this instant, so that an answer that was given in time
        counts although it was delivered late.
    because
        Why, where it is withheld, cancelled, or put for a reason.
    known
        When an answer came in, where it was given earlier: what was told of the prompt until then stays true.

    Raises
    ------
    IllegalStepError
        When it cannot happen from there, or comes too late or too early.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> due = Prompt("a", noon, None, None, None, "scheduled", expires_at=noon + timedelta(minutes=30))
    >>> asked = advance(due, Step.NOTIFY, noon)
    >>> advance(asked, Step.COMPLETE, noon + timedelta(minutes=2)).state
    'completed'
    >>> advance(asked, Step.COMPLETE, noon + timedelta(minutes=30))
    Traceback (most recent call last):
    ...
    tracker.domain.prompting.IllegalStepError: prompt a is notified and cannot complete: its time was over
    """
    state = recorded_state(prompt)
    there = LEGAL.get(state, {}).get(step)
    if there is None:
        raise IllegalStepError(prompt.slot, state, step, "that is no step from there")
    if why := _hindrance(prompt, step, at):
        raise IllegalStepError(prompt.slot, state, step, why)
    taken = replace(prompt, state=there.value)
    match step:
        case Step.NOTIFY:
            return replace(taken, notified_at=at, reason=because or prompt.reason)
        case Step.REMIND:
            return replace(taken, reminded_at=at, reminders=prompt.reminders + 1)
        case Step.START:
            return replace(taken, started_at=at)
        case Step.COMPLETE:
            return replace(
                taken, started_at=prompt.started_at or at, completed_at=at, ended_at=max(at, known or at)
            )
        case Step.WITHHOLD:
            return replace(taken, reason=because, ended_at=at)
        case Step.CANCEL:
            return replace(taken, reason=prompt.reason or because, ended_at=at)
        case Step.EXPIRE:
            return replace(taken, ended_at=ends_at(prompt))


def told_at(prompt: Prompt, at: datetime) -> Prompt:
    """A prompt as it was known at an instant, its state one of open, completed, expired, withheld and cancelled.

    It does not depend on when it is asked, nor on whether a job had written down by then what was true.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon, minute = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(minutes=1)
    >>> asked = Prompt("a", noon, noon, None, None, "notified", expires_at=noon + 30 * minute)
    >>> answered = advance(asked, Step.COMPLETE, noon + 5 * minute)
    >>> [told_at(answered, noon + n * minute).state for n in (4, 5)]
    ['open', 'completed']
    >>> [told_at(asked, noon + n * minute).state for n in (29, 30)]
    ['open', 'expired']
    """
    state, known = recorded_state(prompt), prompt.ended_at or prompt.completed_at
    completed = prompt.completed_at if known is not None and known <= at else None
    started = prompt.started_at
    # Who answers without opening it first began with the answer.
    if started is not None and (started > at or (completed is None and started == prompt.completed_at)):
        started = None
    notified = prompt.notified_at if prompt.notified_at is not None and prompt.notified_at <= at else None
    pushed = prompt.pushed_at if prompt.pushed_at is not None and prompt.pushed_at <= at else None
    then = replace(prompt, notified_at=notified, started_at=started, completed_at=completed, pushed_at=pushed)
    if prompt.state != state.value:  # a word of another program: it ended when its last time says
        same = (notified, started, completed) == (prompt.notified_at, prompt.started_at, prompt.completed_at)
        return then if same else replace(then, state="open")
    if state is State.WITHHELD or (state in _ENDED and known is not None and known <= at):
        return then
    end = ends_at(then)
    over = end is not None and end <= at
    taken_back = state is State.CANCELLED and prompt.reason in (Because.DISMISSED, Because.STUDY_CHANGED)
    return replace(
        then,
        state=State.EXPIRED.value if over else "open",
        reason=None if taken_back else prompt.reason,
    )


def _hindrance(prompt: Prompt, step: Step, at: datetime) -> str | None:
    end = ends_at(prompt)
    over = end is not None and at >= end
    match step:
        case Step.EXPIRE:
            return None if over else "its time is not over"
        case Step.NOTIFY | Step.REMIND | Step.START | Step.COMPLETE if over:
            return "its time was over"
        case Step.NOTIFY if at < prompt.scheduled_at:
            return "it is not due yet"
        case Step.REMIND | Step.START | Step.COMPLETE if (
            prompt.notified_at is not None and at < prompt.notified_at
        ):
            return "it had not been put then"
        case Step.COMPLETE if prompt.started_at is not None and at < prompt.started_at:
            return "it had not been opened then"
        case _:
            return None
