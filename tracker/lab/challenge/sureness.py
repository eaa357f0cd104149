"""Expected calibration error over people, and what a perfectly calibrated forecaster would show.

Guo et al. 2017 with equal-mass bins (Nixon et al. 2019). A bin's mass is exactly a tenth: equal confidences are
split between bins in proportion, so that the order of people never matters.
"""

from __future__ import annotations

import numpy as np

from tracker.lab.challenge.outcomes import BoolArray, FloatArray, IntArray

BINS = 10
REDRAWS = 100


def shares(confidence: FloatArray, bins: int = BINS) -> FloatArray:
    """Return (n, bins): which part of each moment lies in each equal-mass bin of confidence.

    Examples
    --------
    >>> shares(np.array([0.9, 0.6, 0.6]), bins=2).tolist()
    [[0.0, 1.0], [0.75, 0.25], [0.75, 0.25]]
    """
    _, group, size = np.unique(confidence, return_inverse=True, return_counts=True)
    ends = np.cumsum(size)
    edges = np.linspace(0, len(confidence), bins + 1)
    overlap = np.minimum(ends[:, None], edges[1:]) - np.maximum((ends - size)[:, None], edges[:-1])
    return np.asarray((np.clip(overlap, 0, None) / size[:, None])[group], dtype=np.float64)


def error(
    person: IntArray, probability: FloatArray, truth: BoolArray, weights: FloatArray, bins: int = BINS
) -> FloatArray:
    """Expected calibration error of the likelier answer at each row of weights (K, P) on people.

    Resamples keep the bins of everybody. As noise can only add to an absolute deviation, their values are shifted
    back by what resampling added on average: an interval around the figure, not above it.

    Examples
    --------
    >>> p, truth = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, True, False, True])
    >>> error(np.zeros(4, dtype=int), p, truth, np.ones((1, 1))).round(3).tolist()
    [0.15]
    """
    if not probability.size:
        return np.full(len(weights), np.nan)
    confidence = np.maximum(probability, 1 - probability)
    gap = confidence - ((probability >= 0.5) == truth)
    binned = shares(confidence, bins) * gap[:, None]
    people = weights.shape[1]
    sums = np.stack([np.bincount(person, weights=column, minlength=people) for column in binned.T], axis=1)
    mass = weights @ np.bincount(person, minlength=people)
    found = np.full(len(weights), np.nan)
    np.divide(np.abs(weights @ sums).sum(axis=1), mass, out=found, where=mass > 0)
    if len(found) > 1:
        found[1:] = np.clip(found[1:] + found[0] - np.nanmean(found[1:]), 0, 1)
    return found


def errors_if_perfect(
    probability: FloatArray, seed: int, redraws: int = REDRAWS, bins: int = BINS
) -> FloatArray:
    """Return the errors of redrawn truths, each true with the very probability that was said.

    Parameters
    ----------
    probability
        (n,) as said.
    seed
        Of the redraws.
    """
    if not probability.size:
        return np.full(redraws, np.nan)
    confidence = np.sort(np.maximum(probability, 1 - probability))
    hit = np.random.default_rng(seed).random((redraws, len(confidence))) < confidence
    deviation = np.abs((confidence - hit) @ shares(confidence, bins)).sum(axis=1)
    return np.asarray(deviation / len(confidence), dtype=np.float64)
