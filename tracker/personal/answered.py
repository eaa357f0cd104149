"""An answer meets its prompt: whether it may still be given, and that it was, in the transaction that stores it."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.prompting import (
    DELIVERED_WITHIN,
    IllegalStepError,
    State,
    Step,
    advance,
    recorded_state,
    state_at,
)
from tracker.store import prompting
from tracker.store.prompting import PromptRow


class NoPromptError(LookupError):
    """There is no such prompt, or it is not this person's."""


class PromptOverError(ValueError):
    """A prompt cannot be answered any more, or never could.

    Attributes
    ----------
    state
        How it stands.
    ended_at
        Since when, as far as that is known.
    """

    def __init__(self, state: State, ended_at: datetime | None) -> None:
        when = f" since {ended_at.isoformat(timespec='minutes')}" if ended_at is not None else ""
        super().__init__(f"this question is {state.value}{when}; nothing was stored for it")
        self.state, self.ended_at = state, ended_at


def prompt_of(unit: Unit, prompt: int) -> tuple[Permit, PromptRow]:
    """A person's own prompt, with a permit to move it.

    Raises
    ------
    NoPromptError
        When it is none of theirs.
    ConsentMissingError, NotCoveredError, StudyClosedError
        When nothing may be stored for it.
    """
    unit.study.demand_open("no answer is stored")
    permit = unit.keeping(unit.permit(Use.PROMPT), Scope.PROMPTS)
    row = prompting.one(unit.connection, unit.person.subject, prompt)
    if row is None:
        raise NoPromptError(f"there is no question {prompt} of {unit.person.name}")
    permit.demand_covers(row.prompt.scheduled_at)
    return permit, row


def demand_answerable(unit: Unit, prompt: int, at: datetime | None = None) -> None:
    """Raise what `complete` would, without doing anything; in a reading unit too."""
    _, row = prompt_of(unit, prompt)
    if recorded_state(row.prompt) is not State.COMPLETED:
        demand_step(row, Step.COMPLETE, given_at(unit, row, at))


def complete(unit: Unit, prompt: int, at: datetime | None = None) -> bool:
    """Note in a writing unit that a prompt was answered; return whether this was its first answer.

    An answer of several words comes in several calls, and one may be put right later: only the first one counts as the
    time of answering.

    Parameters
    ----------
    unit
        That stores the answer too: both commit, or neither.
    prompt
        Its number.
    at
        When it was given, where a phone delivers it late; its own clock says so. None: now.

    Raises
    ------
    NoPromptError
        When it is none of theirs.
    PromptOverError
        When it had ended when the answer was given; one that was given in time counts, if it is delivered within
        `DELIVERED_WITHIN`.
    ConsentMissingError, NotCoveredError, StudyClosedError
        When nothing may be stored for it.
    """
    permit, row = prompt_of(unit, prompt)
    if recorded_state(row.prompt) is State.COMPLETED:
        return False
    given = given_at(unit, row, at)
    demand_step(row, Step.COMPLETE, given)
    prompting.take(unit.connection, permit, row, Step.COMPLETE, given, known=unit.now)
    return True


def given_at(unit: Unit, row: PromptRow, at: datetime | None) -> datetime:
    """When an answer was given: not in the future, nor too long ago to be waited for, nor before its question."""
    if at is None or at > unit.now or unit.now - at > DELIVERED_WITHIN:
        at = unit.now
    # Clocks of phones and servers differ.
    return max((at, *(k for k in (row.prompt.notified_at, row.prompt.started_at) if k is not None)))


def demand_step(row: PromptRow, step: Step, at: datetime) -> None:
    """Raise `PromptOverError` when a prompt cannot take a step at an instant."""
    try:
        advance(row.prompt, step, at)
    except IllegalStepError:
        raise PromptOverError(
            state_at(row.prompt, at), row.prompt.ended_at or row.prompt.expires_at
        ) from None
