from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.lab.challenge.looping import AUDITS, Walk
from tracker.lab.challenge.outcomes import ASKED, BoolArray, FloatArray
from tracker.lab.challenge.thresholds import (
    FIRST_GUESSES,
    NEVER,
    Periodic,
    decided_threshold,
    late_from,
    periodic,
    rightness,
    system_threshold,
)

WARMUP = 7


def simulated(
    seed: int, *, people: int = 20, days: int = 30, per_day: int = 5, sharpness: float = 2.0, lie: float = 1.0
) -> list[Walk]:
    """Walks of forecasters whose log-odds are `lie` times those of the truth; 1 is calibrated."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(people):
        n = days * per_day
        logit = rng.normal() + rng.normal(0, sharpness, n)
        truth = rng.random(n) < 1 / (1 + np.exp(-logit))
        found.append(
            Walk(
                day=np.repeat(np.arange(1, days + 1), per_day),
                probability=1 / (1 + np.exp(-lie * logit)),
                truth=truth,
                either=np.zeros(n, dtype=np.bool_),
                action=np.full(n, ASKED),
                audit=np.zeros(n, dtype=np.bool_),
            )
        )
    return found


def late(walks: list[Walk], first: int = 17) -> tuple[FloatArray, BoolArray]:
    kept = [w.day >= first for w in walks]
    return (
        np.concatenate([w.confidence[k] for w, k in zip(walks, kept, strict=True)]),
        np.concatenate([w.right[k] for w, k in zip(walks, kept, strict=True)]),
    )


@pytest.mark.parametrize("lie", [0.5, 1.0, 2.0])
def test_decided_on_new_people_95_percent_stay_95_percent(lie: float) -> None:
    realised = []
    for seed in range(12):
        limit = periodic(simulated(seed, lie=lie), "decided", WARMUP, AUDITS)
        confidence, right = late(simulated(1000 + seed, people=200, lie=lie), limit.late_from)
        realised.append(right[confidence >= limit.late].mean())
        assert (confidence >= limit.late).mean() > 0.15
    assert np.mean(realised) == pytest.approx(0.955, abs=0.006)
    assert np.mean(np.array(realised) >= 0.945) >= 0.75


@pytest.mark.parametrize("lie", [0.5, 1.0, 2.0])
def test_of_the_whole_system_95_percent_end_right(lie: float) -> None:
    realised, asked = [], []
    for seed in range(12):
        limit = periodic(simulated(seed, lie=lie), "system", WARMUP, AUDITS)
        confidence, right = late(simulated(1000 + seed, people=200, lie=lie), limit.late_from)
        ask = confidence < limit.late
        chance = np.random.default_rng(seed).random(len(ask)) < AUDITS
        realised.append((right | ask | chance).mean())
        asked.append(ask.mean())
    assert np.mean(realised) == pytest.approx(0.954, abs=0.006)
    assert 0.1 < np.mean(asked) < 0.6


def test_without_anybody_there_are_first_guesses() -> None:
    for point, guess in FIRST_GUESSES.items():
        assert periodic([], point, WARMUP, AUDITS) == Periodic(17, guess, guess)
    nothing = np.zeros(0), np.zeros(0, dtype=np.bool_)
    assert decided_threshold(*nothing, AUDITS) == FIRST_GUESSES["decided"]
    assert system_threshold(*nothing, AUDITS) == FIRST_GUESSES["system"]


def test_people_whose_moments_all_lie_in_the_warm_up_leave_the_first_guesses() -> None:
    limit = periodic(simulated(0, days=5), "decided", WARMUP, AUDITS)
    assert (limit.early, limit.late) == (FIRST_GUESSES["decided"],) * 2


@pytest.mark.parametrize("seed", range(5))
def test_the_hopeless_decide_next_to_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = 0.5 + rng.random(2000) / 2
    right = rng.random(2000) < 0.5
    limit = decided_threshold(confidence, right, AUDITS)
    assert (confidence >= limit).mean() < 0.05
    assert decided_threshold(confidence, np.zeros(2000, dtype=np.bool_), AUDITS) == NEVER
    # One in ten may be decided, for half of those decisions are right.
    limit = system_threshold(confidence, right, AUDITS)
    assert 0.02 < (confidence >= limit).mean() < 0.15


@pytest.mark.parametrize("seed", range(5))
def test_where_all_are_equally_sure_all_are_decided_or_none(seed: int) -> None:
    """Moments of one confidence stand or fall together, whichever of them come first."""
    rng = np.random.default_rng(seed)
    right = np.concatenate([np.ones(200, dtype=np.bool_), rng.random(800) < 0.6])
    assert decided_threshold(np.full(1000, 0.8), right, AUDITS) == NEVER
    assert system_threshold(np.full(1000, 0.8), right, AUDITS) == NEVER
    mostly = rng.random(1000) < 0.99
    assert decided_threshold(np.full(1000, 0.8), mostly, AUDITS) == 0.8


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.5, 0.6, 0.8, 0.9, 0.99]), st.booleans()), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_moments_changes_no_threshold(drawn: list[tuple[float, bool]], random: object) -> None:
    def found(pairs: list[tuple[float, bool]]) -> list[float]:
        columns = np.array([c for c, _ in pairs]), np.array([r for _, r in pairs], dtype=np.bool_)
        return [choose(*columns, AUDITS) for choose in (decided_threshold, system_threshold)]

    shuffled = list(drawn)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(shuffled) == pytest.approx(found(drawn), abs=1e-9)


def test_the_curve_of_rightness_is_calibrated_rising_and_finite() -> None:
    for lie in (0.5, 1.0, 2.0):
        confidence, right = late(simulated(3, people=100, lie=lie))
        curve = rightness(confidence, right)
        order = np.argsort(confidence)
        assert (np.diff(curve[order]) >= 0).all()
        assert curve.mean() == pytest.approx(right.mean(), abs=0.01)
        sure = curve >= 0.95
        assert right[sure].mean() == pytest.approx(curve[sure].mean(), abs=0.015)
    for all_alike in (True, False):
        curve = rightness(np.full(50, 0.99999), np.full(50, all_alike))
        assert np.isfinite(curve).all()
        assert (curve[0] > 0.9) == all_alike


@pytest.mark.parametrize("seed", range(20))
def test_the_curve_is_the_most_likely_one_however_poor_the_forecaster(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = 0.5 + rng.random(2000) / 2
    right = rng.random(2000) < rng.choice([0.3, 0.5, 0.7, 0.95])
    assert np.ptp(rightness(confidence, right)) < 0.2


def test_worse_than_chance_is_no_reason_to_decide_where_it_is_least_sure() -> None:
    rng = np.random.default_rng(0)
    confidence = 0.5 + rng.random(3000) / 2
    right = rng.random(3000) < 1.5 - confidence
    assert np.ptp(rightness(confidence, right)) == 0.0
    limit = decided_threshold(confidence, right, AUDITS)
    assert (confidence >= limit).mean() < 0.02


def test_early_and_late_days_have_thresholds_of_their_own() -> None:
    limit = Periodic(17, 0.9, 0.8)
    assert [limit(day) for day in (1, 16, 17, 40)] == [0.9, 0.9, 0.8, 0.8]
    assert late_from([], 7) == 17
    assert late_from([200], 7) == 17
    assert late_from([5], 7) == 8
