"""Other people's logistic regression, applied as it is: what knowing the person adds shows against this one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.lab.challenge.baselines.seeing import Seeing
from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster, Maker, Pooled
from tracker.learning.prior import FloatArray, Prior
from tracker.learning.prior_fitting import matrix, standardise
from tracker.learning.situations import Answer, Situation


class PooledLogistic:
    """The prior alone; the person's answers reach it only as features of their past."""

    name = "pooled_logistic"

    def __init__(self, pooled: Pooled) -> None:
        self._pooled = pooled

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Fit the prior."""
        scaled = Scaled(self._pooled.shares(people, warmup))

        def make() -> Forecaster:
            return _Fixed(scaled)

        return make


class Scaled:
    """A prior as arrays: features laid out on its scales with a 1 at the end, and its weights."""

    def __init__(self, prior: Prior) -> None:
        self.names = prior.names
        self.means, self.scales = np.array(prior.means), np.array(prior.scales)
        self.weights: FloatArray = np.array([*prior.weights, prior.intercept])

    def row(self, features: dict[str, float]) -> FloatArray:
        """Lay one moment out, (names + 1,)."""
        scaled = standardise(matrix([features], self.names), self.means, self.scales)
        return np.append(scaled[0], 1.0)


def probability(log_odds: float) -> float:
    """Turn log-odds into a probability.

    Examples
    --------
    >>> probability(0.0), round(probability(2.0), 2)
    (0.5, 0.88)
    """
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -30.0), 30.0)))


class _Fixed(Seeing):
    def __init__(self, scaled: Scaled) -> None:
        super().__init__()
        self._scaled = scaled

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        return probability(float(self._scaled.row(features) @ self._scaled.weights))

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        pass
