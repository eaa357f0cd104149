"""Areas under the ROC curve as a form in weights on people, so that a bootstrap needs no sorting."""

from __future__ import annotations

import numpy as np

from tracker.lab.challenge.intervals import divide
from tracker.lab.challenge.outcomes import BoolArray, FloatArray, IntArray


def concordance(person: IntArray, probability: FloatArray, truth: BoolArray, people: int) -> FloatArray:
    """Count, for person p's true and person q's false moments, the pairs that are ranked right; ties half.

    With weights w on people the area under the curve is ``w A w / ((w t) (w f))``, for A this (P, P) matrix and
    t, f the numbers of true and false moments of each: exactly what sorting the weighted moments gives.

    Examples
    --------
    >>> who, p = np.array([0, 0, 1]), np.array([0.9, 0.4, 0.4])
    >>> concordance(who, p, np.array([True, False, False]), 2).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    values, rank = np.unique(probability, return_inverse=True)
    shape = (len(values), people)
    cell = rank * people + person
    true = np.bincount(cell[truth], minlength=shape[0] * people).reshape(shape).astype(np.float64)
    false = np.bincount(cell[~truth], minlength=shape[0] * people).reshape(shape).astype(np.float64)
    below = np.cumsum(false, axis=0) - false / 2
    return np.asarray(true.T @ below, dtype=np.float64)


def area(pairs: FloatArray, true: FloatArray, false: FloatArray, weights: FloatArray) -> FloatArray:
    """Area under the pooled curve at each row of weights: (P, P), (P,), (P,) and (K, P) give (K,)."""
    right = np.einsum("kp,kp->k", weights @ pairs, weights)
    return divide(right, (weights @ true) * (weights @ false))


def own_areas(pairs: FloatArray, true: FloatArray, false: FloatArray) -> FloatArray:
    """Area within each person, NaN for who gave one answer only."""
    return divide(np.diagonal(pairs).copy(), true * false)
