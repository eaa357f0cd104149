from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.instants import InstantError
from tracker.learning.features import LOG_P_KEYS, MAX_CONTEXT_AGE_S, ContextAt, Moment, Reading, features

BERLIN = ZoneInfo("Europe/Berlin")
SURE = Reading.of(Distribution.of({Emotion.FEAR: 1.0}))


def test_log_probabilities_come_in_the_one_order_and_are_finite() -> None:
    x = features(SURE, Moment(8.0, 0))
    assert [k.removeprefix("log_p=") for k in LOG_P_KEYS] == [e.value for e in EMOTIONS]
    assert all(math.isfinite(x[k]) for k in LOG_P_KEYS)
    assert max(LOG_P_KEYS, key=x.__getitem__) == "log_p=fear"


def test_network_output_of_minus_infinity_is_floored() -> None:
    reading = Reading.from_log_probabilities([0.0] + [-math.inf] * 7)
    assert all(math.isfinite(v) for v in reading.log_probabilities)


@pytest.mark.parametrize("logits", [[2.0] * 8, [-3.0] * 8, [math.nan] * 8, [800.0] * 8])
def test_logits_in_place_of_log_probabilities_are_refused(logits: list[float]) -> None:
    with pytest.raises(ValueError, match="log-softmax"):
        Reading.from_log_probabilities(logits)


@given(st.floats(0, MAX_CONTEXT_AGE_S))
def test_a_context_is_used_up_to_two_hours_with_its_age(age: float) -> None:
    x = features(None, Moment(8.0, 0, ContextAt("home", None, "alone", age)))
    assert x["place=home"] == x["company=alone"] == 1.0
    assert x["context_age"] == age / MAX_CONTEXT_AGE_S
    assert not any(k.startswith("activity=") for k in x)


@pytest.mark.parametrize("age", [None, 7200.001, math.inf])
def test_an_older_context_is_absent(age: float | None) -> None:
    assert features(None, Moment(8.0, 0, ContextAt("home", "working", "alone", age))) == features(
        None, Moment(8.0, 0)
    )


def test_a_context_from_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match="future"):
        ContextAt("home", age_s=-1.0)


def test_midnight_has_no_seam_and_weekends_differ() -> None:
    late, early = (features(None, Moment(h, 4)) for h in (23.99, 0.0))
    assert late["hour_sin"] == pytest.approx(early["hour_sin"], abs=0.01)
    assert "day=weekend" in features(None, Moment(0.0, 5))
    assert "day=weekday" in early


def test_the_clock_is_the_persons_own_on_both_sides_of_summer_time() -> None:
    winter, summer = datetime(2025, 3, 29, 11, tzinfo=UTC), datetime(2025, 3, 30, 11, tzinfo=UTC)
    assert Moment.at(winter, BERLIN).hour == 12.0
    assert Moment.at(summer, BERLIN).hour == 13.0
    with pytest.raises(InstantError):
        Moment.at(datetime(2025, 3, 29, 11), BERLIN)


@pytest.mark.parametrize(("hour", "weekday"), [(24.0, 0), (-0.1, 0), (math.nan, 0), (1.0, 7)])
def test_impossible_clocks_are_refused(hour: float, weekday: int) -> None:
    with pytest.raises(ValueError, match="is not"):
        Moment(hour, weekday)
