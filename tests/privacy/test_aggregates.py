"""The mechanisms lose no more than they say, are as exact as they can be, and tell nothing of a few people.

Losses are measured: many runs on two cohorts that differ in one person, the likelier outcomes' frequencies
compared. That is a lower bound of the true loss, so noise that is too small shows, which a test makes sure of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from tracker.privacy import aggregates

RUNS = 60_000
LEAST = RUNS // 75
"""How often an outcome is seen at least to count: rarer frequencies say little."""


def lost(with_them: Counter[int], without: Counter[int]) -> float:
    """The greatest log ratio between the frequencies of outcomes, either way."""
    seen = [o for o in with_them | without if min(with_them[o], without[o]) >= LEAST]
    assert seen, "the outcomes do not even overlap"
    return max(abs(math.log(with_them[o] / without[o])) for o in seen)


def counted(people: int, epsilon: float) -> Counter[int]:
    # One call with many sums of the same cohort: what OpenDP does to each is what it does to one.
    return Counter(aggregates._laplace([people] * RUNS, sensitivity=1, epsilon=epsilon))


def outcomes(tables: list[NDArray[np.float64]], epsilon: float) -> Counter[int]:
    """The first cell of noisy sums, in bands as wide as the noise."""
    return Counter(
        round(aggregates.noisy_sums(tables, (1, 2), epsilon).sums[0, 0] * epsilon) for _ in range(3000)
    )


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [0.5, 1.0])
def test_a_count_loses_no_more_than_epsilon(epsilon: float) -> None:
    found = lost(counted(40, epsilon), counted(39, epsilon))
    assert found <= epsilon + 0.25
    assert found >= epsilon - 0.25  # and is not drowned in more noise than was paid for


@pytest.mark.slow
def test_noise_of_a_quarter_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measurement can fail; and OpenDP's own map would not have let it come so far."""
    honest: Callable[[int, float], float] = aggregates.noise_scale
    monkeypatch.setattr(aggregates, "noise_scale", lambda s, e: honest(s, e) / 4)
    with pytest.raises(aggregates.PrivacyMapError, match="costs 4"):
        counted(40, 1.0)
    monkeypatch.setattr(aggregates, "_SLACK", math.inf)
    assert lost(counted(40, 1.0), counted(39, 1.0)) > 2.0


@pytest.mark.slow
def test_sums_lose_no_more_than_epsilon_whatever_one_person_recorded() -> None:
    """A person far out of bounds against nobody: clamped to the sensitivity that the noise is made for."""
    with_them, without = outcomes([np.array([[1e9, 0.0]])], 1.0), outcomes([], 1.0)
    seen = [o for o in with_them | without if min(with_them[o], without[o]) >= 300]
    assert len(seen) >= 2
    assert max(abs(math.log(with_them[o] / without[o])) for o in seen) <= 1.0 + 0.5


@settings(deadline=None)
@given(
    table=arrays.arrays(
        np.float64,
        (3, 8),
        elements=st.floats(-10, 10) | st.sampled_from([math.nan, math.inf, -math.inf, 1e300]),
    )
)
def test_nobody_moves_a_row_by_more_than_one_person(table: NDArray[np.float64]) -> None:
    units = aggregates._units(table, (3, 8))
    assert (units >= 0).all()
    assert (units.sum(axis=1) <= aggregates.GRID).all()


@settings(deadline=None)
@given(weights=st.lists(st.integers(0, 10**6), min_size=8, max_size=8).filter(any))
def test_shares_lose_less_than_one_unit_to_rounding(weights: list[int]) -> None:
    shares = np.array([weights], dtype=np.float64) / sum(weights)
    off = shares * aggregates.GRID - aggregates._units(shares, (1, 8))
    assert (off >= -1e-6).all()
    assert (off <= 1 + 1e-6).all()


def test_opendp_agrees_with_what_is_charged() -> None:
    """The map of the very mechanism, asked for a row of eight emotions by seven weekdays, and for a count."""
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    for sensitivity, epsilon in ((7 * aggregates.GRID, 0.1), (1, 0.25)):
        mechanism = dp.m.make_laplace(*space, scale=aggregates.noise_scale(sensitivity, epsilon))
        assert mechanism.map(d_in=sensitivity) == pytest.approx(epsilon, rel=1e-9)


@given(epsilon=st.floats(0.01, 5.0), exponent=st.floats(3.0, 9.0), least=st.integers(10, 200))
def test_the_threshold_hides_the_last_person_but_for_delta(
    epsilon: float, exponent: float, least: int
) -> None:
    """By summing the discrete Laplace distribution: not oftener than δ, and one lower would be."""
    delta = 10**-exponent
    steps = aggregates.threshold(epsilon, delta, least) - least
    ratio = math.exp(-epsilon)

    def oftener(t: int) -> float:
        first = (1 - ratio) / (1 + ratio) * ratio**t
        return first / (1 - ratio)

    assert oftener(steps) <= delta * (1 + 1e-9)
    assert steps == 1 or oftener(steps - 1) > delta * (1 - 1e-9)


@given(people=st.integers(0, 9), noisy=st.integers(-(10**6), 10**6), epsilon=st.floats(0.01, 5))
def test_fewer_than_ten_people_are_never_told_of_whatever_the_noise(
    people: int, noisy: int, epsilon: float
) -> None:
    assert not aggregates.passed(people, noisy, 10, aggregates.threshold(epsilon, 1e-6, 10))


@settings(deadline=None)
@given(
    row=arrays.arrays(np.float64, st.integers(2, 9), elements=st.floats(-3, 3)),
    seed=st.integers(0, 2**32 - 1),
)
def test_shares_are_the_nearest_possible_ones(row: NDArray[np.float64], seed: int) -> None:
    """No random point of the simplex is nearer."""
    nearest = aggregates._nearest_shares(row)
    assert nearest.sum() == pytest.approx(1.0)
    assert (nearest >= 0).all()
    others = np.random.default_rng(seed).dirichlet(np.ones(len(row)), 50)
    assert np.linalg.norm(nearest - row) <= np.linalg.norm(others - row, axis=1).min() + 1e-9


@pytest.mark.slow
def test_means_are_as_near_as_their_margin_says() -> None:
    """SIMULATED cohorts of 300: the margin of 95 % holds at least that often, and is no wider than it must be."""
    rng = np.random.default_rng(7)
    inside, errors, margins = [], [], []
    for _ in range(150):
        tables = [rng.dirichlet([12, 2, 1, 1, 1, 1, 1, 1], size=1) for _ in range(300)]
        noisy = aggregates.noisy_sums(tables, (1, 8), 0.5)
        error = np.abs(noisy.shares() - np.mean(tables, axis=0))
        inside.append(error <= noisy.margins())
        errors.append(error.max())
        margins.append(noisy.margins().max())
    assert np.mean(inside) >= 0.93
    assert np.mean(errors) <= 0.03  # noise of scale 2 people on 300
    assert np.mean(margins) <= 0.05


def test_a_row_of_few_people_is_not_shown() -> None:
    """Nine people never clear ten and the noise, by chance less than once in a hundred."""
    few = [np.array([[1.0, 0.0]])] * 9
    shown = sum(aggregates.noisy_sums(few, (1, 2), 0.5).certain(10)[0] for _ in range(400))
    assert shown <= 12
    many = [np.array([[1.0, 0.0]])] * 100
    assert all(aggregates.noisy_sums(many, (1, 2), 0.5).certain(10)[0] for _ in range(50))


def test_shapes_are_those_of_the_figure() -> None:
    with pytest.raises(ValueError, match="shape"):
        aggregates.noisy_sums([np.zeros((2, 2))], (1, 2), 1.0)
