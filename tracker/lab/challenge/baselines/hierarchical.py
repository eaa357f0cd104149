"""The strongest of the standard methods: one logistic regression per person, shrunk to the pooled weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.lab.challenge.baselines.pooled_logistic import Scaled, probability
from tracker.lab.challenge.baselines.seeing import Seeing
from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster, Maker, Pooled
from tracker.learning.histories import AT
from tracker.learning.prior import FloatArray
from tracker.learning.prior_fitting import matrix, standardise
from tracker.learning.situations import Answer, Situation

PULL, INTERCEPT_PULL = 100.0, 4.0
"""Prior precisions of a weight and of the intercept: the middle of the plateau that was measured."""

PULL_ALONE = 10.0
"""The pull towards 0 where there are no others."""


class Hierarchical:
    """Maximum a posteriori, refitted by Newton's method on every answer that was told; "either" counts half."""

    name = "hierarchical"

    def __init__(self, pooled: Pooled) -> None:
        self._pooled = pooled

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Fit the prior."""
        prior = self._pooled.shares(people, warmup)
        scaled = Scaled(prior)

        def make() -> Forecaster:
            return _Shrunk(scaled) if prior.names else _Alone()

        return make


def mode(
    x: FloatArray, y: FloatArray, w: FloatArray, centre: FloatArray, pull: FloatArray, start: FloatArray
) -> FloatArray:
    """Find the weights of the highest posterior density, the intercept last.

    It minimises the weighted log-loss plus half the pull times the squared distance from `centre`.

    Parameters
    ----------
    x
        Scaled features, the last of them 1: (n, d).
    y, w
        Shares of yes and weights: (n,).
    centre, pull
        What the weights are pulled to, and how strongly: (d,).
    start
        Where Newton's method begins: (d,).
    """
    beta = start
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30.0, 30.0)))
        gradient = x.T @ (w * (p - y)) + pull * (beta - centre)
        curvature = (x * (w * p * (1.0 - p))[:, None]).T @ x + np.diag(pull)
        step: FloatArray = np.linalg.solve(curvature, gradient).astype(np.float64, copy=False)
        longest = float(np.abs(step).max())
        beta = beta - step * min(1.0, 3.0 / max(longest, 1e-9))
        if longest < 1e-7:
            break
    return beta


def _pulls(weights: int, pull: float) -> FloatArray:
    return np.array([pull] * (weights - 1) + [INTERCEPT_PULL])


class _Shrunk(Seeing):
    """On the scales of the others."""

    def __init__(self, scaled: Scaled) -> None:
        super().__init__()
        self._scaled, self._beta = scaled, scaled.weights
        self._pull = _pulls(len(scaled.weights), PULL)
        self._rows: list[FloatArray] = []
        self._told: list[tuple[float, float]] = []
        self._news = False

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        if self._news:
            y, w = np.array(self._told).T
            self._beta = mode(np.array(self._rows), y, w, self._scaled.weights, self._pull, self._beta)
            self._news = False
        return probability(float(self._scaled.row(features) @ self._beta))

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        self._rows.append(self._scaled.row(features))
        self._told.append((answer.share, answer.weight))
        self._news = True


class _Alone(Seeing):
    """On the person's own scales, pulled to 0: scales and names move with every answer."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[dict[str, float]] = []
        self._told: list[tuple[float, float]] = []
        self._fitted: tuple[list[str], FloatArray, FloatArray, FloatArray] | None = None

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        if not self._told:
            return 0.5
        names, means, scales, beta = self._fitted or self._fit()
        return probability(
            float(np.append(standardise(matrix([features], names), means, scales)[0], 1.0) @ beta)
        )

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        self._rows.append(features)
        self._told.append((answer.share, answer.weight))
        self._fitted = None

    def _fit(self) -> tuple[list[str], FloatArray, FloatArray, FloatArray]:
        names = sorted({name for row in self._rows for name in row} - {AT})
        raw = matrix(self._rows, names)
        means, scales = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
        scales[scales < 1e-9] = 1.0
        x = np.column_stack([standardise(raw, means, scales), np.ones(len(raw))])
        y, w = np.array(self._told).T
        nothing, pull = np.zeros(x.shape[1]), _pulls(x.shape[1], PULL_ALONE)
        self._fitted = names, means, scales, mode(x, y, w, nothing, pull, nothing)
        return self._fitted
