from __future__ import annotations

import math
import random
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.affect import Emotion
from tracker.lab.emotion_baselines import BareRiver, LastValue, Majority, Network, Personal
from tracker.lab.prequential import (
    UNIFORM,
    Corrected,
    Outcome,
    Predictor,
    corrected_moments,
    ece,
    f1_by_emotion,
    judge,
    over_people,
)
from tracker.lab.simulation import Life, simulate
from tracker.learning.learner import EmotionLearner

LIFE: Life = simulate(11, ZoneInfo("Europe/Berlin"), date(2025, 3, 10), days=6)
MOMENTS: list[Corrected] = corrected_moments(LIFE)
MAKERS = [Network, Majority, LastValue, BareRiver, lambda: Personal(EmotionLearner.fresh())]


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, len(MOMENTS)), rng=st.randoms(use_true_random=False))
def test_the_future_changes_no_prediction(make: type[Predictor], cut: int, rng: random.Random) -> None:
    future = MOMENTS[cut:]
    rng.shuffle(future)
    assert judge(make(), MOMENTS[:cut] + future)[:cut] == judge(make(), MOMENTS)[:cut]


def test_every_emotion_correction_is_joined_once_in_recording_order() -> None:
    said = [c.distribution for c in LIFE.corrections if c.target == "emotion"]
    assert [m.label for m in MOMENTS] == said
    assert all(1 <= m.day <= 6 for m in MOMENTS)


def test_no_reading_near_means_uniform_and_some_have_one() -> None:
    unread = [m for m in MOMENTS if "unread" in m.features]
    assert unread
    assert len(unread) < len(MOMENTS)
    assert all(m.network == UNIFORM for m in unread)


def test_a_context_given_with_the_answer_is_not_used_to_predict_it() -> None:
    assert all(m.features.get("context_age", 1.0) > 0.0 for m in MOMENTS)


def outcome(confidence: float, said: Emotion, predicted: Emotion) -> Outcome:
    return Outcome(1, said, predicted, confidence, 0.0)


def test_calibration_error_and_f1_on_cases_done_by_hand() -> None:
    right = [outcome(1.0, Emotion.FEAR, Emotion.FEAR)] * 10
    wrong = [outcome(1.0, Emotion.FEAR, Emotion.ANGER)] * 10
    assert ece(right) == 0.0
    assert ece(wrong) == 1.0
    assert f1_by_emotion(right + wrong) == {Emotion.FEAR: pytest.approx(2 * 10 / 30)}


def test_the_interval_is_over_people_and_skips_who_has_none() -> None:
    mean, low, high = over_people([0.0, 1.0, math.nan, 0.5])
    assert (mean, low >= 0.0, high <= 1.0, low < mean < high) == (0.5, True, True, True)
