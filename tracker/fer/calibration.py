"""Calibration: a temperature that makes probabilities mean what they say, and figures that show if they do.

Temperature scaling after Guo et al. 2017 (arXiv 1706.04599); bins of equal mass after Nixon et al. 2019
(arXiv 1904.01685), because most faces are read with high confidence and bins of equal width would be empty.
A network whose labels were smoothed learns smoothed probabilities; no temperature undoes that, so it is
undone as it was done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_RANGE = (0.05, 20.0)
_LEAST = 1e-3  # what is left of a probability that smoothing alone explains
_GOLDEN = (math.sqrt(5) - 1) / 2


def log_softmax(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Turn logits (N, C) into log-probabilities (N, C) in float64.

    Examples
    --------
    >>> np.exp(log_softmax([[0.0, math.log(3.0)]])).round(6).tolist()
    [[0.25, 0.75]]
    """
    z = np.asarray(logits, dtype=np.float64) / temperature
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))  # type: ignore[no-any-return]


def calibrate(logits: ArrayLike, temperature: float = 1.0, smoothing: float = 0.0) -> Floats:
    """Turn logits (N, C) into calibrated log-probabilities (N, C).

    Parameters
    ----------
    logits
        As the network gives them.
    temperature
        Logits are divided by it.
    smoothing
        The label smoothing e of the training, or 0. Smoothed labels make a network say (1 - e) p + e / C
        where p is meant; after the temperature this is solved for p. The likeliest class stays the same.

    Examples
    --------
    >>> said = 0.8 * np.array([[0.7, 0.3]]) + 0.2 / 2
    >>> np.exp(calibrate(np.log(said), smoothing=0.2)).round(6).tolist()
    [[0.7, 0.3]]
    """
    log_p = log_softmax(logits, temperature)
    if smoothing == 0:
        return log_p
    p = np.exp(log_p)
    p = np.maximum((p - smoothing / p.shape[-1]) / (1 - smoothing), _LEAST)
    return np.log(p / p.sum(axis=-1, keepdims=True))  # type: ignore[no-any-return]


def negative_log_likelihood(log_probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Mean of -log p(label) in nats.

    Examples
    --------
    >>> round(negative_log_likelihood(log_softmax([[0.0, 0.0]]), np.array([1])), 6)
    0.693147
    """
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: ArrayLike, labels: ArrayLike, smoothing: float = 0.0) -> float:
    """Return the temperature in [0.05, 20] with the least negative log-likelihood.

    A grid over log T finds the neighbourhood (one would do without: the likelihood is concave in 1/T unless
    smoothing is undone), a golden-section search the optimum; always the same.

    Parameters
    ----------
    logits
        (N, C) of data that the network was not trained on.
    labels
        (N,) class indices.
    smoothing
        See `calibrate`.

    Examples
    --------
    Logits twice too large for faces that are right three times out of four:

    >>> z = np.array([[2 * math.log(3.0), 0.0]] * 4)
    >>> round(fit_temperature(z, [0, 0, 0, 1]), 4)
    2.0
    """
    z, y = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if z.ndim != 2 or len(z) == 0 or y.shape != (len(z),):
        raise ValueError(f"logits (N, C) and labels (N,) with N > 0 are needed, not {z.shape} and {y.shape}")

    def cost(log_t: float) -> float:
        return negative_log_likelihood(calibrate(z, math.exp(log_t), smoothing), y)

    grid = np.linspace(math.log(_RANGE[0]), math.log(_RANGE[1]), 49)
    best = int(np.argmin([cost(float(log_t)) for log_t in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > 1e-6:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = cost(right)
    return math.exp((low + high) / 2)


@dataclass(frozen=True, slots=True)
class Bin:
    """Faces of similar confidence: how sure the network was, and how often it was right."""

    n: int
    lowest: float
    highest: float
    confidence: float
    accuracy: float


def reliability(probabilities: Floats, labels: NDArray[np.int64], bins: int = 15) -> tuple[Bin, ...]:
    """Group faces by the probability of the likeliest class into bins of equal mass.

    Parameters
    ----------
    probabilities
        (N, C).
    labels
        (N,) class indices.
    bins
        How many; fewer where there are fewer faces. Sizes differ by one at most.

    Examples
    --------
    >>> p = np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1], [0.9, 0.1]])
    >>> [(b.n, round(b.confidence, 2), b.accuracy) for b in reliability(p, np.array([0, 1, 0, 0]), bins=2)]
    [(2, 0.65, 0.5), (2, 0.9, 1.0)]
    """
    if probabilities.ndim != 2 or len(probabilities) == 0 or labels.shape != (len(probabilities),):
        raise ValueError(f"probabilities {probabilities.shape} and labels {labels.shape} do not match")
    confidence = probabilities.max(axis=1)
    # Equal confidences count as right as they are on average: whoever of them comes first in the data says nothing.
    _, tied, times = np.unique(confidence, return_inverse=True, return_counts=True)
    right = (np.bincount(tied, probabilities.argmax(axis=1) == labels) / times)[tied]
    order = np.argsort(confidence, kind="stable")
    return tuple(
        Bin(
            len(rows),
            float(confidence[rows[0]]),
            float(confidence[rows[-1]]),
            float(confidence[rows].mean()),
            float(right[rows].mean()),
        )
        for rows in np.array_split(order, min(bins, len(order)))
    )


def expected_calibration_error(probabilities: Floats, labels: NDArray[np.int64], bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over bins of equal mass: 0 is perfect.

    Examples
    --------
    By hand, with two bins: (2 x |0.65 - 0.5| + 2 x |0.9 - 1.0|) / 4 = 0.125.

    >>> p = np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1], [0.9, 0.1]])
    >>> round(expected_calibration_error(p, np.array([0, 1, 0, 0]), bins=2), 6)
    0.125
    """
    found = reliability(probabilities, labels, bins)
    return sum(b.n * abs(b.confidence - b.accuracy) for b in found) / sum(b.n for b in found)
