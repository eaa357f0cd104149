"""Many moments at once are said to be what each of them is said to be alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.learner import EmotionLearner
from tracker.learning.pipeline import Settings
from tracker.learning.predicting import predict_many

START = datetime(2026, 3, 1, tzinfo=UTC)

shares = st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda p: sum(p) > 1e-3)
contexts = st.builds(
    ContextAt,
    st.sampled_from(["home", "work", None]),
    st.sampled_from(["eating", None]),
    st.just(None),
    st.one_of(st.none(), st.floats(0, 9000)),
)
seen = st.tuples(shares, st.integers(0, 60 * 24 * 9), contexts)
said = st.tuples(seen, st.sampled_from(Emotion), st.sampled_from([0.3, 1.0]))


def features_of(moment: Any) -> dict[str, float]:
    probabilities, minutes, context = moment
    at = Moment.at(START + timedelta(minutes=minutes), ZoneInfo("Asia/Kolkata"), context)
    return features(Reading.of(Distribution.from_sequence(probabilities)), at)


@given(st.lists(said, max_size=12), st.lists(seen, min_size=1, max_size=9), st.sampled_from([2.5, None]))
@settings(max_examples=60, deadline=None)
def test_every_moment_is_said_to_be_the_same_as_alone(
    history: list[Any], moments: list[Any], trust: float | None
) -> None:
    learner = EmotionLearner.fresh(Settings(trust=trust))  # type: ignore[arg-type]
    for moment, emotion, weight in history:
        learner.learn(features_of(moment), Distribution.said(emotion), weight)
    asked = [features_of(moment) for moment in moments]
    names = sorted({name for one in asked for name in one if not name.startswith("log_p=")})
    readings = np.array([Distribution.from_sequence(p).probabilities for p, _, _ in moments])
    columns = {name: np.array([one.get(name, 0.0) for one in asked]) for name in names}
    together = predict_many(learner, readings, columns)
    for row, one in zip(together, asked, strict=True):
        assert row.tolist() == pytest.approx(list(learner.predict(one).probabilities), abs=1e-12)
    # However many are asked about together, each is the same bits.
    apart = [
        predict_many(learner, readings[i : i + 1], {name: c[i : i + 1] for name, c in columns.items()})[0]
        for i in range(len(moments))
    ]
    assert together.tolist() == [row.tolist() for row in apart]


def test_nothing_is_learned_by_asking() -> None:
    learner = EmotionLearner.fresh()
    before = learner.snapshot()
    predict_many(
        learner, np.full((3, len(EMOTIONS)), 1 / 8), {"read": 1.0, "place=home": np.array([0.0, 1.0, 0.0])}
    )
    assert learner.snapshot() == before
