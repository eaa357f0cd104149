"""Strategies for distributions, moments and learning events."""

from __future__ import annotations

from hypothesis import strategies as st

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.replay import LearningEvent

distributions = (
    st.lists(st.floats(0, 1), min_size=8, max_size=8)
    .filter(lambda v: sum(v) > 1e-3)
    .map(Distribution.from_sequence)
)
certain = st.sampled_from(EMOTIONS).map(lambda e: Distribution.of({e: 1.0}))
labels = st.one_of(certain, distributions)
words = st.none() | st.sampled_from(["home", "work", "café", "colleagues", "alone"])
contexts = st.builds(ContextAt, words, words, words, st.none() | st.floats(0, 10_000))
moments = st.builds(Moment, st.floats(0, 23.99), st.integers(0, 6), contexts)
readings = st.none() | distributions.map(Reading.of)
feature_dicts = st.builds(features, readings, moments)
weights = st.floats(0, 1)
events = st.builds(LearningEvent, feature_dicts, labels, weights)
histories = st.lists(events, max_size=12)
