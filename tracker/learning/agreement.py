"""How far raters agree beyond chance: Krippendorff's alpha, with missing values and an interval over items.

Alpha is 1 for perfect agreement and 0 for what chance gives; below 0, raters disagree by system. It takes any number of
raters, and items that not everybody has rated (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Metric(StrEnum):
    """How far two values are apart: not at all or fully, by ranks between them, or by their difference."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha with what it rests on.

    Attributes
    ----------
    value
        None where it is not defined: no item has two values, or all values are the same.
    low, high
        95 % interval, by drawing items anew; None where the value is.
    items, values
        How many items have two values or more, and how many values those have.
    """

    value: float | None
    low: float | None
    high: float | None
    items: int
    values: int


def krippendorff_alpha(
    ratings: Floats, metric: Metric = Metric.NOMINAL, *, draws: int = 1000, seed: int = 0
) -> Alpha:
    """Agreement of raters about items.

    Parameters
    ----------
    ratings
        ``(raters, items)``: a number for what was said, NaN where nothing was. Categories are any numbers;
        for `Metric.ORDINAL` their order counts, for `Metric.INTERVAL` their differences.
    metric
        How far two values are apart.
    draws
        How often items are drawn anew for the interval; 0 for none.
    seed
        Of the draws: the same seed gives the same interval.

    Raises
    ------
    ValueError
        When the array has not two dimensions, or holds an infinity.

    Examples
    --------
    >>> nan = float("nan")
    >>> found = krippendorff_alpha(np.array([[1.0, 2, 3, 3], [1, 2, 3, nan]]))
    >>> found.value, found.items, found.values
    (1.0, 3, 6)
    >>> round(krippendorff_alpha(np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]])).value, 3)
    0.125
    """
    return krippendorff_alphas([(ratings, metric)], draws=draws, seed=seed)[0]


def krippendorff_alphas(
    tables: Sequence[tuple[Floats, Metric]], *, draws: int = 1000, seed: int = 0
) -> tuple[Alpha, ...]:
    """Agreement in several respects about the same items, which are drawn anew once for all of their intervals.

    Parameters
    ----------
    tables
        What was said in each respect, and how far two values are apart; all ``(raters, items)`` of the same items.
    draws, seed
        As for `krippendorff_alpha`.

    Raises
    ------
    ValueError
        As `krippendorff_alpha`, or when the tables are not of the same items.
    """
    given = [np.asarray(ratings, dtype=np.float64) for ratings, _ in tables]
    for values in given:
        if values.ndim != 2:
            raise ValueError(f"ratings are (raters, items), not an array of {values.ndim} dimensions")
        if np.isinf(values).any():
            raise ValueError("ratings are finite, or NaN where nothing was said")
        if values.shape[1] != given[0].shape[1]:
            raise ValueError(f"ratings are of {given[0].shape[1]} items and of {values.shape[1]}")
    twice = [(~np.isnan(values)).sum(axis=0) >= 2 for values in given]
    either = np.any(twice, axis=0) if twice else np.zeros(0, dtype=bool)
    items, drawn = int(either.sum()), None
    if items and draws:
        chance = np.random.default_rng(seed)
        drawn = chance.multinomial(items, np.full(items, 1 / items), size=draws).astype(np.float64)
    return tuple(
        _alpha_of(values[:, kept], metric, None if drawn is None else drawn[:, kept[either]])
        for values, kept, (_, metric) in zip(given, twice, tables, strict=True)
    )


def _alpha_of(pairable: Floats, metric: Metric, weights: Floats | None) -> Alpha:
    items, said = pairable.shape[1], int((~np.isnan(pairable)).sum())
    if items == 0:
        return Alpha(None, None, None, 0, 0)
    measure = _intervals(pairable) if metric is Metric.INTERVAL else _categories(pairable, metric)
    value = measure(np.ones((1, items)))[0]
    if not math.isfinite(value):
        return Alpha(None, None, None, items, said)
    if weights is None:
        return Alpha(float(value), None, None, items, said)
    drawn = measure(weights)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, (0.025, 0.975)) if drawn.size else (value, value)
    return Alpha(float(value), float(low), float(high), items, said)


class _categories:  # noqa: N801 - called as a function
    """Alpha of categories: from how often each pair of them stands beside another on one item."""

    def __init__(self, values: Floats, metric: Metric) -> None:
        levels = np.unique(values[~np.isnan(values)])
        counts = np.stack([(values == level).sum(axis=0) for level in levels], axis=1).astype(np.float64)
        pairs = counts[:, :, None] * counts[:, None, :]
        pairs[:, range(len(levels)), range(len(levels))] -= counts
        self._pairs = (pairs / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(counts), -1)
        self._k, self._metric = len(levels), metric

    def __call__(self, weights: Floats) -> Floats:
        """Alpha for each way to weigh the items: ``(draws, items)`` to ``(draws,)``."""
        seen = (weights @ self._pairs).reshape(-1, self._k, self._k)
        totals = seen.sum(axis=2)
        n = totals.sum(axis=1)
        expected = totals[:, :, None] * totals[:, None, :]
        expected[:, range(self._k), range(self._k)] -= totals
        apart = self._apart(totals)
        return _alpha((seen * apart).sum(axis=(1, 2)), (expected * apart).sum(axis=(1, 2)), n)

    def _apart(self, totals: Floats) -> Floats:
        if self._metric is Metric.NOMINAL:
            return np.broadcast_to(1.0 - np.eye(self._k), (len(totals), self._k, self._k))
        # Ranks between two levels, both ends counted half (Krippendorff 2011, section C).
        reached = np.cumsum(totals, axis=1) - totals / 2
        between: Floats = (reached[:, :, None] - reached[:, None, :]) ** 2
        return between


class _intervals:  # noqa: N801 - called as a function
    """Alpha of numbers: from sums over items, so that any number of different values takes no longer."""

    def __init__(self, values: Floats) -> None:
        # Centred, or the difference of two large sums would lose what is small.
        centred = values - np.nanmean(values)
        said = (~np.isnan(centred)).sum(axis=0)
        first, second = np.nansum(centred, axis=0), np.nansum(centred**2, axis=0)
        seen = 2 * (said * second - first**2) / (said - 1)
        self._sums = np.stack([said, first, second, seen], axis=1).astype(np.float64)

    def __call__(self, weights: Floats) -> Floats:
        """Alpha for each way to weigh the items: ``(draws, items)`` to ``(draws,)``."""
        n, first, second, seen = (weights @ self._sums).T
        expected = 2 * (n * second - first**2)
        # What rounding leaves of equal values is no disagreement.
        expected = np.where(expected <= 1e-12 * n * np.maximum(second, 1e-300), 0.0, expected)
        return _alpha(seen, expected, n)


def _alpha(seen: Floats, expected: Floats, n: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(expected > 0, 1 - (n - 1) * seen / expected, np.nan)
    return found
