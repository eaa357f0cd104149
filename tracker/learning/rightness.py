"""How often a confidence turns out right, for one person: a small logistic curve that follows their answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 6.4
"""Log-odds beyond which confidences count as equal (.9983)."""

_KINDS = np.array([1.0, 0.25, 0.05])
"""How much level, slope and bend drift against each other: the bend least, as only the few audits speak of it."""


def log_odds(confidence: float) -> float:
    """Return the log-odds of a confidence, cut to [0, `MOST`]: what is below one half counts as one half.

    Examples
    --------
    >>> round(log_odds(0.95), 3), log_odds(0.4), log_odds(1.0)
    (2.944, 0.0, 6.4)

    Raises
    ------
    ValueError
        When it is no probability.
    """
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"confidence {confidence} is not in [0, 1]")
    if confidence <= 0.5:
        return 0.0
    return min(math.log(confidence / (1.0 - confidence)), MOST) if confidence < 1.0 else MOST


class RightnessCurve:
    """P(right | confidence) of one person's learner, a logistic curve in log-odds with one bend.

    The curve starts as other people's and takes a step with each answer (an extended Kalman filter on a
    logistic regression whose coefficients drift). What it says is the mean over what it does not know yet, so an
    uncertain curve is a cautious one.

    Parameters
    ----------
    level
        Log-odds of being right at confidence one half, before any answer of this person.
    bend
        Log-odds of confidence at which the slope may change: where decisions begin.
    spread
        Standard deviation of the level between people, in log-odds. Larger follows a person's own answers
        faster and is more cautious until they have come.
    drift
        Variance that each answer adds to the level: 0 for people who never change.

    References
    ----------
    West, Harrison & Migon (1985), Dynamic generalized linear models and Bayesian forecasting, JASA 80; the mean of
    a logistic over a normal after MacKay (1992), The evidence framework applied to classification networks.
    """

    def __init__(self, level: float, bend: float, spread: float, drift: float) -> None:
        self.bend = bend
        self.drift = drift
        self.mean: NDArray[np.float64] = np.array([level, 1.0, 0.0])
        self.covariance: NDArray[np.float64] = np.diag(spread**2 * np.array([1.0, 1 / 6, 1 / 6]))

    def wrong(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(wrong) at log-odds of confidence (n,)."""
        x = np.stack([np.ones_like(at), at, np.maximum(at - self.bend, 0.0)], axis=1)
        variance = np.sum((x @ self.covariance) * x, axis=1)
        logit = x @ self.mean / np.sqrt(1.0 + math.pi / 8.0 * variance)
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(logit, -30.0, 30.0))))

    def learn(self, at: float, right: bool, weight: float = 1.0) -> None:
        """Take in that a decision of log-odds `at` was, or would have been, right; it weighs `weight` > 0."""
        x = np.array([1.0, at, max(at - self.bend, 0.0)])
        self.covariance = self.covariance + self.drift * np.diag(_KINDS)
        # Saturated, the step of one answer would be without bound.
        logit = min(max(float(x @ self.mean), -6.0), 6.0)
        p = 1.0 / (1.0 + math.exp(-logit))
        along = self.covariance @ x
        noise = 1.0 / (p * (1.0 - p))
        gain = along / (noise / weight + float(x @ along))
        self.mean = self.mean + gain * (float(right) - p) * noise
        self.covariance = self.covariance - np.outer(gain, along)

    def state(self) -> tuple[list[float], list[list[float]]]:
        """Mean (3) and covariance (3, 3), for a snapshot."""
        return self.mean.tolist(), self.covariance.tolist()

    def resume(self, mean: Sequence[float], covariance: Sequence[Sequence[float]]) -> None:
        """Go on from a state; raise `ValueError` when it is none."""
        m, c = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
        if m.shape != (3,) or c.shape != (3, 3) or not (np.isfinite(m).all() and np.isfinite(c).all()):
            raise ValueError("a rightness curve has 3 finite coefficients and their 3 x 3 covariance")
        if np.linalg.eigvalsh(c).min() < -1e-9:
            raise ValueError("a rightness curve's covariance has a negative variance")
        self.mean, self.covariance = m, c
