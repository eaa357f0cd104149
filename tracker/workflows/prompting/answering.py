"""What participants do with a prompt beside answering it: open it, put it away."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Access
from tracker.domain.people import Person
from tracker.domain.prompting import Because, State, Step, recorded_state
from tracker.personal.answered import demand_step, given_at, prompt_of
from tracker.store import prompting
from tracker.workflows.prompting.shown import Live, live_of


def start(access: Access, person: Person, prompt: int, now: datetime) -> Live:
    """Note that a prompt was opened; opening it again changes nothing.

    Raises
    ------
    NoPromptError
        When it is none of theirs.
    PromptOverError
        When it cannot be answered any more.
    ConsentMissingError, NotCoveredError, StudyClosedError
        When nothing may be stored for it.
    """
    with access.write(person.id, now) as unit:
        permit, row = prompt_of(unit, prompt)
        at = given_at(unit, row, now)
        if recorded_state(row.prompt) is State.STARTED:
            demand_step(row, Step.COMPLETE, at)
        else:
            demand_step(row, Step.START, at)
            row = prompting.take(unit.connection, permit, row, Step.START, at)
        return live_of(unit, row)


def dismiss(access: Access, person: Person, prompt: int, now: datetime) -> None:
    """Put a prompt away unanswered, for good; putting it away again changes nothing.

    Raises
    ------
    NoPromptError, PromptOverError, ConsentMissingError, NotCoveredError, StudyClosedError
        As `start`.
    """
    with access.write(person.id, now) as unit:
        permit, row = prompt_of(unit, prompt)
        if recorded_state(row.prompt) is State.CANCELLED:
            return
        at = given_at(unit, row, now)
        demand_step(row, Step.COMPLETE, at)  # what is over has ended by itself
        prompting.take(unit.connection, permit, row, Step.CANCEL, at, Because.DISMISSED)
