from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.learning.moments import events, feature_dicts, histories
from tracker.lab.prequential import corrected_moments
from tracker.lab.simulation import simulate
from tracker.learning.learner import EmotionLearner
from tracker.learning.replay import LearningEvent, fit

FINGERPRINT = """
from tests.learning.test_replay import fingerprint
print(fingerprint())
"""


def fingerprint() -> str:
    """SHA-256 of the snapshot that a simulated week leaves behind."""
    week = corrected_moments(simulate(3, ZoneInfo("Europe/Berlin"), date(2025, 3, 10), days=7))
    learner = fit(None, [LearningEvent(m.features, m.label, m.weight) for m in week])
    return hashlib.sha256(json.dumps(learner.snapshot()).encode()).hexdigest()


@given(st.none() | histories, histories, feature_dicts)
def test_replay_equals_learning_live_bit_for_bit(
    others: list[LearningEvent] | None, own: list[LearningEvent], x: dict[str, float]
) -> None:
    prior = None if others is None else fit(None, others).snapshot()
    live = fit(prior, [])
    for event in own:
        live.predict(x)  # looking must not change anything
        live.learn(event.features, event.label, event.weight)
    replayed = fit(prior, own)
    assert replayed.predict(x).probabilities == live.predict(x).probabilities
    assert replayed.snapshot() == live.snapshot()


@given(histories, histories, events)
def test_leaving_an_event_out_is_unlearning_it(
    before: list[LearningEvent], after: list[LearningEvent], undone: LearningEvent
) -> None:
    never = fit(None, [*before, *after]).snapshot()
    assert fit(None, [e for e in [*before, undone, *after] if e is not undone]).snapshot() == never


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_features_does_not_matter(history: list[LearningEvent], rng: random.Random) -> None:
    def shuffled(event: LearningEvent) -> LearningEvent:
        items = list(event.features.items())
        rng.shuffle(items)
        return replace(event, features=dict(items))

    assert fit(None, map(shuffled, history)).snapshot() == fit(None, history).snapshot()


def test_a_prior_is_not_changed_by_who_starts_from_it() -> None:
    prior = EmotionLearner.fresh().snapshot()
    kept = json.dumps(prior)
    week = corrected_moments(simulate(3, ZoneInfo("Europe/Berlin"), date(2025, 3, 10), days=2))
    fit(prior, [LearningEvent(m.features, m.label, m.weight) for m in week])
    assert json.dumps(prior) == kept


def test_another_process_with_another_hash_seed_gives_the_same_bits() -> None:
    for seed in ("1", "2"):
        out = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert out.stdout.strip() == fingerprint()
