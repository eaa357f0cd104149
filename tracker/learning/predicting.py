"""What an emotion learner says of many moments at once: `EmotionLearner.predict` over columns.

The same figures to about 1e-15, at a thirtieth of the time: what costs is not the arithmetic, but a dict, a pipeline
and eight objects for each moment. Every sum is added in one fixed order and every logarithm and exponential is the C
library's, so that the same moments give the same bits, however many are asked about together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS
from tracker.learning.features import FLOOR
from tracker.learning.learner import EmotionLearner

Floats = NDArray[np.float64]

_N = len(EMOTIONS)


def predict_many(learner: EmotionLearner, readings: Floats, rest: Mapping[str, Floats | float]) -> Floats:
    """Give a person's own estimates of many moments of which a network read something.

    Parameters
    ----------
    learner
        As it stands; it is not changed.
    readings
        (N, 8): the network's calibrated probabilities, in the order of `EMOTIONS`.
    rest
        Every other feature (`tracker.learning.features.features`) by name: a column (N,), or one number for all. 0
        stands for a feature that a moment does not have.

    Returns
    -------
    numpy.ndarray
        (N, 8), each row summing to 1.

    Examples
    --------
    >>> from tracker.domain.affect import Distribution, Emotion
    >>> sad = Distribution.of({Emotion.SADNESS: 0.6, Emotion.NEUTRAL: 0.4})
    >>> said = predict_many(EmotionLearner.fresh(), np.array([sad.probabilities]), {"read": 1.0})
    >>> said.round(6).tolist()
    [[0.4, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0, 0.0]]
    """
    residual = learner._residual
    n = len(readings)
    floored = np.maximum(readings / _sum(readings)[:, None], FLOOR)
    given = floored / _sum(floored)[:, None]
    square, raw = np.zeros(n), np.zeros((n, _N))
    for name in sorted(rest):
        square = square + np.square(rest[name])
        if (weights := residual.weights.get(name)) is not None:
            raw = raw + np.broadcast_to(rest[name], n)[:, None] * np.array(weights)
    # Unit length, as river's Normalizer makes it; a moment without any other feature has nothing to scale.
    raw /= np.where(square > 0, np.sqrt(square), 1.0)[:, None]
    logits = _each(math.log, given) + np.clip(raw, -residual.bound, residual.bound)
    shares = _each(math.exp, logits - logits.max(axis=1, keepdims=True))
    said = shares / _sum(shares)[:, None]
    if residual.remapping is not None:
        share = 1.0 / (1.0 + math.exp(-residual.credit))
        said = share * said + (1.0 - share) * _meant(
            given, residual.remapping.counts, residual.remapping.trust
        )
    return np.asarray(said / _sum(said)[:, None])


def _meant(given: Floats, counts: list[list[float]], trust: float) -> Floats:
    """What a person means by each of some readings: `Remapping.apply`."""
    if not counts:
        return given
    found = np.zeros_like(given)
    for b, row in enumerate(counts):
        scaled = given[:, b] / (trust + math.fsum(row))
        found[:, b] += trust * scaled
        for k, said in enumerate(row):
            found[:, k] += scaled * said
    return found


def _sum(columns: Floats) -> Floats:
    """The sum of each row, added from left to right: a library's own order may depend on how many there are."""
    total = columns[:, 0].copy()
    for k in range(1, columns.shape[1]):
        total += columns[:, k]
    return total


def _each(function: Callable[[float], float], values: Floats) -> Floats:
    return np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size).reshape(values.shape)
