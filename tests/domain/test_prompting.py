"""Whatever happens to a prompt, in whatever order, its history is a legal one, and its times follow each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.prompting import (
    GRACE,
    LEGAL,
    OPEN,
    Because,
    IllegalStepError,
    State,
    Step,
    advance,
    ends_at,
    recorded_state,
    state_at,
    told_at,
)
from tracker.domain.series import Prompt

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ENDS = NOON + 60 * MINUTE


def due(state: State = State.SCHEDULED) -> Prompt:
    return Prompt("day:2026-03-20:0", NOON, None, None, None, state.value, expires_at=ENDS)


def asked(*more: tuple[Step, int]) -> Prompt:
    prompt = advance(due(), Step.NOTIFY, NOON)
    for step, minute in more:
        prompt = advance(prompt, step, NOON + minute * MINUTE)
    return prompt


@given(
    st.lists(st.tuples(st.sampled_from(Step), st.integers(-5, 90)), max_size=14),
    st.sampled_from([None, ENDS, NOON + 20 * MINUTE]),
)
def test_every_history_is_legal_and_in_order(acts: list[tuple[Step, int]], ends: datetime | None) -> None:
    prompt = Prompt("s", NOON, None, None, None, State.SCHEDULED.value, expires_at=ends)
    clock, states = -5, [State.SCHEDULED]
    for step, minute in acts:
        clock = max(clock, minute)  # time does not run backwards
        before = prompt
        try:
            prompt = advance(prompt, step, NOON + clock * MINUTE)
        except IllegalStepError:
            assert prompt == before
            continue
        assert LEGAL[recorded_state(before)][step] is recorded_state(prompt)
        states.append(recorded_state(prompt))
    assert states.count(State.NOTIFIED) <= 1
    assert states.count(State.STARTED) <= 1
    assert states.count(State.COMPLETED) <= 1
    times = [prompt.scheduled_at, prompt.notified_at, prompt.started_at, prompt.completed_at]
    known = [at for at in times if at is not None]
    assert known == sorted(known)
    assert prompt.reminders == states.count(State.REMINDED)
    assert (prompt.ended_at is not None) == (recorded_state(prompt) not in OPEN | {State.SCHEDULED})
    if prompt.notified_at is not None and ends is not None:
        assert prompt.notified_at < ends
    if prompt.completed_at is not None and (end := ends_at(prompt)) is not None:
        assert prompt.completed_at < end


@given(
    st.lists(st.tuples(st.sampled_from(Step), st.integers(0, 90), st.integers(0, 60)), max_size=10),
    st.integers(0, 160),
)
def test_what_was_known_at_an_instant_stays_what_was_known(
    acts: list[tuple[Step, int, int]], minute: int
) -> None:
    """An export of an instant says the same whenever it is made: after all that came later, and before."""
    cut, clock = NOON + minute * MINUTE, NOON
    prompt = then = advance(due(), Step.NOTIFY, NOON)
    for step, later, late in acts:
        clock += later * MINUTE
        given_at = max(clock - late * MINUTE, prompt.notified_at or clock, prompt.started_at or clock)
        at = given_at if step is Step.COMPLETE else clock
        try:
            prompt = advance(prompt, step, at, Because.DISMISSED, known=clock)
        except IllegalStepError:
            continue
        if clock <= cut:
            then = prompt
    first, again = (told_at(one, cut) for one in (then, prompt))
    for name in ("state", "reason", "notified_at", "started_at", "completed_at"):
        assert getattr(first, name) == getattr(again, name), name


@given(st.integers(0, 200))
def test_what_is_read_is_what_a_job_would_write_down(minute: int) -> None:
    """Expiry is true before anybody wrote it down, and at no instant is it true for one and not for the other."""
    for prompt in (asked(), asked((Step.REMIND, 10)), asked((Step.START, 55))):
        now = NOON + minute * MINUTE
        if state_at(prompt, now) is State.EXPIRED:
            written = advance(prompt, Step.EXPIRE, now)
            assert state_at(written, now) is State.EXPIRED
            assert written.ended_at == ends_at(prompt)
        else:
            with pytest.raises(IllegalStepError, match="not over"):
                advance(prompt, Step.EXPIRE, now)


def test_who_began_in_time_may_finish_and_who_did_not_may_not() -> None:
    begun = asked((Step.START, 58))
    assert ends_at(begun) == NOON + 58 * MINUTE + GRACE
    assert advance(begun, Step.COMPLETE, NOON + 67 * MINUTE).state == "completed"
    with pytest.raises(IllegalStepError, match="its time was over"):
        advance(begun, Step.COMPLETE, NOON + 68 * MINUTE)
    with pytest.raises(IllegalStepError, match="its time was over"):
        advance(asked(), Step.START, ENDS)


def test_an_answer_from_before_the_end_counts_though_the_end_was_written_down() -> None:
    over = advance(asked(), Step.EXPIRE, ENDS + 5 * MINUTE)
    assert over.ended_at == ENDS
    late = advance(over, Step.COMPLETE, NOON + 30 * MINUTE)
    assert (late.state, late.completed_at, late.ended_at) == (
        "completed",
        NOON + 30 * MINUTE,
        NOON + 30 * MINUTE,
    )
    with pytest.raises(IllegalStepError):
        advance(over, Step.COMPLETE, ENDS + MINUTE)
    with pytest.raises(IllegalStepError):
        advance(over, Step.START, NOON + 30 * MINUTE)


@pytest.mark.parametrize("state", [State.COMPLETED, State.WITHHELD, State.CANCELLED])
def test_from_an_end_nothing_leads_on(state: State) -> None:
    for step in Step:
        with pytest.raises(IllegalStepError, match=state.value):
            advance(due(state), step, NOON)


def test_a_prompt_is_not_put_before_it_is_due_nor_answered_before_it_was_put() -> None:
    with pytest.raises(IllegalStepError, match="not due yet"):
        advance(due(), Step.NOTIFY, NOON - MINUTE)
    with pytest.raises(IllegalStepError, match="had not been put"):
        advance(asked(), Step.COMPLETE, NOON - MINUTE)
    with pytest.raises(IllegalStepError, match="had not been opened"):
        advance(asked((Step.START, 5)), Step.COMPLETE, NOON + 4 * MINUTE)


def test_a_reason_stays_with_what_was_withheld() -> None:
    withheld = advance(due(), Step.WITHHOLD, NOON, Because.YIELDING)
    assert (withheld.state, withheld.reason, withheld.notified_at) == ("withheld", "yielding", None)
    assert all(because.words.endswith(".") and len(because.value) <= 16 for because in Because)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("open", State.NOTIFIED),
        ("answered", State.COMPLETED),
        ("missed", State.EXPIRED),
        ("?", State.EXPIRED),
    ],
)
def test_words_of_before_are_understood(word: str, state: State) -> None:
    assert recorded_state(Prompt("a", NOON, NOON, None, None, word)) is state
