"""What counts as yes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.lab.challenge.diaries import TargetError
from tracker.lab.challenge.targets import Rule, TargetSpec, parse_range

values = st.floats(-1000, 1000).map(lambda value: round(value, 2))


@given(value=values, bound=values)
def test_above_excludes_its_bound_and_at_least_includes_it(value: float, bound: float) -> None:
    above = TargetSpec("x", Rule.ABOVE, bound)
    at_least = TargetSpec("x", Rule.AT_LEAST, bound)
    assert above.truth(value) == (value > bound)
    assert at_least.truth(value) == (value >= bound)
    assert above.answer(value).share == float(value > bound)
    assert above.answer(value).graded == value
    assert above.cut([]) == bound


@given(value=values, ends=st.tuples(values, values).map(sorted))
def test_either_includes_both_ends_and_leaves_the_truth(value: float, ends: list[float]) -> None:
    spec = TargetSpec("x", Rule.ABOVE, 0, either=(ends[0], ends[1]))
    inside = ends[0] <= value <= ends[1]
    assert spec.is_either(value) == inside
    assert (spec.answer(value).share == 0.5) == inside
    assert spec.truth(value) == (value > 0)


@given(ends=st.tuples(values, values).map(sorted))
def test_every_range_is_read_as_it_was_written(ends: list[float]) -> None:
    assert parse_range(f"{ends[0]:.2f}-{ends[1]:.2f}") == (ends[0] or 0.0, ends[1] or 0.0)


@pytest.mark.parametrize("text", ["", "35", "65-35", "a-b", "35-", "35:65"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="for example 35-65"):
        parse_range(text)


@pytest.mark.parametrize("days", [0, -1, 2.5])
def test_an_own_median_needs_whole_days(days: float) -> None:
    with pytest.raises(TargetError, match="whole days"):
        TargetSpec("x", Rule.ABOVE_OWN_MEDIAN, days)


def test_equality_has_no_grade() -> None:
    assert TargetSpec("x", Rule.EQUALS, "home").answer("home").graded is None
    assert TargetSpec("x", Rule.EQUALS, 3.0).answer(3.0).graded is None
    assert TargetSpec("x", Rule.EQUALS, 3.0).cut([1.0]) is None
