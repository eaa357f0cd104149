from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.learning.remapping import Remapping

readings = (
    st.lists(st.floats(0, 1), min_size=4, max_size=4)
    .filter(lambda v: sum(v) > 1e-3)
    .map(lambda v: [p / sum(v) for p in v])
)
answers = st.tuples(readings, st.integers(0, 3), st.floats(0, 1))


def told(k: int) -> list[float]:
    return [1.0 if i == k else 0.0 for i in range(4)]


def taught(history: list[tuple[list[float], int, float]], trust: float = 3.0) -> Remapping:
    own = Remapping(trust, leak=0.1)
    for reading, k, weight in history:
        own.learn(reading, told(k), weight)
    return own


@given(readings)
def test_untaught_it_repeats_the_reading(reading: list[float]) -> None:
    own = Remapping(3.0, 0.1)
    assert own.apply(reading) == reading
    own.learn(reading, told(0), 0.0)
    assert own.apply(reading) == pytest.approx(reading, abs=1e-12)


@given(st.lists(answers, max_size=10), readings)
def test_what_it_says_is_a_distribution(
    history: list[tuple[list[float], int, float]], reading: list[float]
) -> None:
    said = taught(history).apply(reading)
    assert math.fsum(said) == pytest.approx(1.0, abs=1e-9)
    assert min(said) >= 0.0


@given(st.lists(answers, max_size=10), readings, answers)
def test_what_is_told_gets_likelier_and_all_else_less_likely_at_every_reading(
    history: list[tuple[list[float], int, float]],
    elsewhere: list[float],
    answer: tuple[list[float], int, float],
) -> None:
    own = taught(history)
    before = own.apply(elsewhere)
    own.learn(answer[0], told(answer[1]), answer[2])
    for k, (now, then) in enumerate(zip(own.apply(elsewhere), before, strict=True)):
        assert now >= then - 1e-12 if k == answer[1] else now <= then + 1e-12


@given(st.lists(answers, max_size=10), readings, answers)
def test_one_answer_moves_a_bounded_share(
    history: list[tuple[list[float], int, float]],
    elsewhere: list[float],
    answer: tuple[list[float], int, float],
) -> None:
    own = taught(history)
    before = own.apply(elsewhere)
    own.learn(answer[0], told(answer[1]), answer[2])
    moved = sum(abs(a - b) for a, b in zip(own.apply(elsewhere), before, strict=True)) / 2
    assert moved <= answer[2] / (3.0 + answer[2]) + 1e-9


def test_a_swap_of_two_emotions_is_learned_and_the_others_stay() -> None:
    clear = [[0.97 if i == k else 0.01 for i in range(4)] for k in range(4)]
    own = taught([(clear[k], swapped, 1.0) for k, swapped in ((0, 1), (1, 0), (2, 2))] * 20)
    assert own.apply(clear[0])[1] > 0.8
    assert own.apply(clear[1])[0] > 0.8
    assert own.apply(clear[2])[2] > 0.9
    assert own.apply(clear[3])[3] > 0.9


def test_counts_come_back_as_they_were() -> None:
    own = taught([([0.1, 0.2, 0.3, 0.4], 2, 0.7)])
    again = Remapping(3.0, 0.1)
    again.restore(own.as_dict("abcd"), "abcd")
    assert again.counts == own.counts
    fresh = Remapping(3.0, 0.1)
    fresh.restore(Remapping(3.0, 0.1).as_dict("abcd"), "abcd")
    assert fresh.counts == []


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_impossible_counts_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="count"):
        Remapping(3.0, 0.1).restore({"a": {"a": bad}}, "a")
