"""A figure with its spread over draws and its interval over people.

Every figure here is a function of weights on people: with all weights one it is the figure itself, with the
counts of a resample of people it is a bootstrap replicate. All replicates are computed in one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.lab.challenge.outcomes import FloatArray, IntArray

RESAMPLES = 1000
LEVEL = 95
SEED = 20260401


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over draws; ``None`` stands for what is not defined.

    Attributes
    ----------
    spread
        Standard deviation over draws; none with a single draw.
    interval
        95 % percentile bootstrap over people, all draws averaged; none where fewer than two people contribute.
    """

    value: float | None
    spread: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Resample:
    """Resamples of people: row 0 is everybody once, the others are drawn with replacement.

    Attributes
    ----------
    picks
        (K, P) which person stands at each place.
    weights
        (K, P) how often each person was drawn.
    """

    picks: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, people: int, resamples: int = RESAMPLES) -> Resample:
        """Draw resamples of so many people, the same ones each time.

        Examples
        --------
        >>> drawn = Resample.of(3, resamples=5)
        >>> drawn.weights[0].tolist(), set(drawn.weights.sum(axis=1).tolist())
        ([1.0, 1.0, 1.0], {3.0})
        """
        drawn = np.random.default_rng(SEED).integers(0, max(people, 1), (resamples, people))
        picks = np.vstack([np.arange(people)[None], drawn]).astype(np.int64)
        rows = np.repeat(np.arange(len(picks)), people) * people
        counts = np.bincount(rows + picks.ravel(), minlength=picks.size).reshape(picks.shape)
        return cls(picks, counts.astype(np.float64))


def ratio(numerator: FloatArray, denominator: FloatArray, weights: FloatArray) -> FloatArray:
    """Divide weighted sums over people: (D, P), (D, P) and (K, P) give (D, K), NaN where nothing divides.

    Examples
    --------
    >>> right, decided = np.array([[1.0, 3.0]]), np.array([[2.0, 4.0]])
    >>> ratio(right, decided, np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])).round(3).tolist()
    [[0.667, 0.5, nan]]
    """
    return divide(numerator @ weights.T, denominator @ weights.T)


def divide(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide elementwise, NaN where the divisor is not positive."""
    found = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def over_draws(values: FloatArray) -> FloatArray:
    """Average (D, K) over the draws in which it is defined."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def summarise(values: FloatArray, contributors: int = 2) -> Figure:
    """Turn (D, K) values, column 0 of everybody and the others of resamples, into a figure.

    Parameters
    ----------
    values
        One row per draw.
    contributors
        People whom the figure rests on: of fewer than two, a bootstrap over people would claim certainty.
    """
    means = over_draws(values)
    if np.isnan(means[0]):
        return Figure(None)
    first = values[:, 0][~np.isnan(values[:, 0])]
    spread = float(first.std(ddof=1)) if first.size > 1 else None
    tail = (100 - LEVEL) / 2
    low, high = percentile(means, tail, contributors), percentile(means, 100 - tail, contributors)
    return Figure(float(means[0]), spread, None if low is None or high is None else (low, high))


def lower_bound(values: FloatArray, contributors: int) -> Figure:
    """One-sided 95 % lower bound over people of the mean over draws."""
    return Figure(percentile(over_draws(values), 100 - LEVEL, contributors))


def percentile(means: FloatArray, share: float, contributors: int) -> float | None:
    """Percentile of the replicates (all but the first), or none where they say nothing."""
    replicates = means[1:][~np.isnan(means[1:])]
    if contributors < 2 or not replicates.size:
        return None
    return float(np.percentile(replicates, share))


def contributors(denominator: FloatArray) -> int:
    """People with anything in the denominator, in any draw."""
    return int((denominator > 0).any(axis=0).sum())
