"""How a figure lies over people: a mean can hide somebody for whom nothing works."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tracker.lab.challenge.intervals import Figure, Resample, contributors, divide, summarise
from tracker.lab.challenge.outcomes import FloatArray, IntArray

MET = 0.945
"""A realised accuracy that counts as 95 %: what rounds to it."""

QUARTERS = {"median": 0.5, "q1": 0.25, "q3": 0.75, "worst": 0.0}
RESAMPLES = 200


def over_people(numerator: FloatArray, denominator: FloatArray, drawn: Resample) -> Mapping[str, Figure]:
    """Median, quartiles, worst and share at 95 % of a ratio within each person.

    Parameters
    ----------
    numerator, denominator
        (D, P) per draw and person; who has no denominator in a draw is left out of it.
    drawn
        Resamples of the same people, of which the first 200 serve.

    Examples
    --------
    >>> right, said = np.array([[1.0, 2.0, 4.0, 0.0]]), np.array([[4.0, 4.0, 4.0, 0.0]])
    >>> found = over_people(right, said, Resample.of(4))
    >>> {name: round(figure.value, 3) for name, figure in found.items()}
    {'median': 0.5, 'q1': 0.375, 'q3': 0.75, 'worst': 0.25, 'share_at_95': 0.333}
    """
    values = divide(numerator, denominator)
    placed = values[:, drawn.picks[: RESAMPLES + 1]]
    ranked = np.sort(placed, axis=2)
    known = (~np.isnan(ranked)).sum(axis=2)
    count = contributors(denominator)
    found = {name: summarise(_quantile(ranked, known, q), count) for name, q in QUARTERS.items()}
    reached = (placed >= MET).sum(axis=2).astype(np.float64)
    found["share_at_95"] = summarise(divide(reached, known.astype(np.float64)), count)
    return found


def _quantile(ranked: FloatArray, known: IntArray, q: float) -> FloatArray:
    """Interpolate between ranked (D, K, P) values of which only the first ``known`` (D, K) are any."""
    if not ranked.shape[2]:
        return np.full(known.shape, np.nan)
    place = q * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    low = np.take_along_axis(ranked, below[..., None], axis=2)[..., 0]
    high = np.take_along_axis(ranked, above[..., None], axis=2)[..., 0]
    return np.asarray(low + (high - low) * (place - below), dtype=np.float64)
