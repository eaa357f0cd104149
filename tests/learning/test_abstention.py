"""The threshold from which a learner decides alone: where it starts, which way it moves, what it survives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.learning.abstention import NEVER, AdaptiveThreshold, first_threshold
from tracker.learning.rightness import RightnessCurve, log_odds

CONFIDENCES = st.floats(0.5, 1.0)
MOMENTS = st.lists(st.tuples(CONFIDENCES, st.sampled_from([True, False, None])), max_size=40)


def after(moments: list[tuple[float, bool | None]], start: float = 0.9) -> AdaptiveThreshold:
    threshold = AdaptiveThreshold(start)
    for confidence, right in moments:
        threshold.update(confidence, right)
    return threshold


@given(start=st.floats(0.55, 0.99), alpha=st.floats(0.01, 0.3), others=st.lists(CONFIDENCES, max_size=50))
@settings(deadline=None)
def test_every_person_starts_at_the_threshold_of_the_others(
    start: float, alpha: float, others: list[float]
) -> None:
    fresh = AdaptiveThreshold(start, alpha=alpha, others=others)
    assert fresh.threshold == start
    assert fresh.error_at(start) == pytest.approx(alpha, abs=1e-6)


@given(moments=MOMENTS, extra=CONFIDENCES)
@settings(deadline=None)
def test_a_wrong_answer_never_leaves_a_lower_threshold_than_a_right_one(
    moments: list[tuple[float, bool | None]], extra: float
) -> None:
    wrong, right = after([*moments, (extra, False)]), after([*moments, (extra, True)])
    assert wrong.threshold >= right.threshold - 1e-9


@given(moments=MOMENTS, more=MOMENTS)
@settings(deadline=None)
def test_a_thawed_threshold_goes_on_with_the_same_bits(
    moments: list[tuple[float, bool | None]], more: list[tuple[float, bool | None]]
) -> None:
    lived = after(moments)
    thawed = AdaptiveThreshold.restore(json.loads(json.dumps(lived.snapshot())))
    for confidence, right in more:
        lived.update(confidence, right)
        thawed.update(confidence, right)
    assert thawed.threshold == lived.threshold
    assert thawed.snapshot() == lived.snapshot()


def test_one_audit_moves_the_threshold_a_little_and_many_move_it_far() -> None:
    start = AdaptiveThreshold(0.9).threshold
    one, many = after([(0.93, False)]).threshold, after([(0.93, False)] * 10).threshold
    assert start < one < 0.95
    assert one + 0.02 < many


def test_questions_below_the_threshold_that_turn_out_right_lower_it() -> None:
    assert after([(0.85, True)] * 40).threshold < 0.88


def test_nothing_is_decided_while_no_confidence_is_right_often_enough() -> None:
    hopeless = after([(c, k % 2 == 0) for k in range(100) for c in (0.7, 0.9, 0.99)])
    assert hopeless.threshold == NEVER
    assert not hopeless.decides(1.0)


def test_a_promise_of_less_error_is_a_higher_threshold() -> None:
    moments = [(0.6 + 0.39 * (k % 20) / 20, k % 20 > 3 or k % 3 == 0) for k in range(200)]
    thresholds = []
    for alpha in (0.02, 0.05, 0.1):
        t = AdaptiveThreshold(0.9, alpha=alpha)
        for confidence, right in moments:
            t.update(confidence, right)
        thresholds.append(t.threshold)
    assert thresholds == sorted(thresholds, reverse=True)


def test_moments_without_truth_say_how_often_a_confidence_occurs_and_nothing_of_how_right_it_is() -> None:
    # Someone whose learner is very sure most of the time can afford more decisions near the threshold.
    assert after([(0.99, None)] * 100).threshold < 0.9 < after([(0.901, None)] * 100).threshold


def test_one_drawn_at_random_stands_for_those_decided_in_silence() -> None:
    told, drawn = AdaptiveThreshold(0.9), AdaptiveThreshold(0.9)
    for k in range(33):
        told.update(0.99, True if k == 0 else None)
    drawn.update(0.99, True, stands_for=33.0)
    assert drawn.threshold == pytest.approx(told.threshold, abs=1e-9)


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"start": 0.5}, "lies in"),
        ({"start": 1.0}, "lies in"),
        ({"start": 0.9, "alpha": 0.0}, "promised error"),
    ],
)
def test_an_impossible_setting_is_refused(kwargs: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AdaptiveThreshold(**kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"is not in \[0, 1\]"):
        AdaptiveThreshold(0.9).update(bad, True)


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"format": "another"},
        {"counts": [1.0]},
        {"mean": [0.0, 1.0]},
        {"mean": [0.0, float("nan"), 1.0]},
        {"settings": {"start": 0.9, "unknown": 1}},
        {"threshold": "high"},
    ],
)
def test_a_damaged_snapshot_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="replay the moments instead"):
        AdaptiveThreshold.restore(AdaptiveThreshold(0.9).snapshot() | damage)


def test_the_first_threshold_takes_equal_confidences_together() -> None:
    assert first_threshold([0.9, 0.9, 0.8], [True, False, True], alpha=0.05) == 0.998
    assert first_threshold([0.9, 0.9, 0.8, 0.8], [True, True, True, False], alpha=0.2) == 0.9
    assert first_threshold([], []) == 0.998
    with pytest.raises(ValueError, match="2 confidences, but 1 outcomes"):
        first_threshold([0.9, 0.8], [True])


def test_an_uncertain_curve_is_a_cautious_one() -> None:
    sure, unsure = RightnessCurve(0.5, 2.0, 0.01, 0.0), RightnessCurve(0.5, 2.0, 1.0, 0.0)
    at = np.array([log_odds(0.95)])
    assert unsure.wrong(at)[0] > sure.wrong(at)[0]
