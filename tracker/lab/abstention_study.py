"""Does an adaptive threshold keep its promise? SIMULATED forecasters, well and badly calibrated, and what they decide.

Truths are drawn from the true log-odds of each moment; the forecaster says other ones. What is measured is the share of
wrong decisions among the moments that were decided alone, against the promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tracker.learning.abstention import AdaptiveThreshold, first_threshold
from tracker.learning.choosing import Action, choose

PROMISE = 0.05
AUDITS = 0.03
_CLIP = 0.002

Floats = NDArray[np.float64]


class Threshold(Protocol):
    """Anything that decides from a confidence on, and may learn from what came true."""

    @property
    def threshold(self) -> float:
        """From which confidence on it decides."""

    def update(self, confidence: float, right: bool | None = None) -> None:
        """Take in one moment; `right` is None where the truth stayed unknown."""


@dataclass(frozen=True, slots=True)
class Moments:
    """A simulated forecaster's moments, in order.

    Parameters
    ----------
    confidence
        max(p, 1 - p), (n,).
    right
        Whether the more probable answer was the truth, (n,).
    """

    confidence: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a promise.

    Parameters
    ----------
    moments
        Those after the warm-up.
    decided, wrong
        How many of them were decided alone, and how many of these wrongly.
    """

    moments: int
    decided: int
    wrong: int

    @property
    def error(self) -> float:
        """Share of wrong decisions; NaN when nothing was decided."""
        return self.wrong / self.decided if self.decided else math.nan

    @property
    def coverage(self) -> float:
        """Share of moments that were decided alone."""
        return self.decided / self.moments

    def __add__(self, other: Kept) -> Kept:
        return Kept(self.moments + other.moments, self.decided + other.decided, self.wrong + other.wrong)


Course = Callable[[Floats], Floats]
"""Factor on the true log-odds over the course of a stream, from 0 to 1: above 1 is overconfident."""

FORECASTERS: Mapping[str, Course] = {
    "calibrated": lambda t: 1.0 + 0.0 * t,
    "overconfident": lambda t: 1.6 + 0.0 * t,
    "underconfident": lambda t: 0.7 + 0.0 * t,
    "growing overconfident": lambda t: 1.0 + 0.8 * t,
    "growing underconfident": lambda t: 1.0 - 0.4 * t,
    "suddenly overconfident": lambda t: np.where(t > 0.5, 2.0, 1.0),
}


def stream(course: Course, seed: int, moments: int = 20_000) -> Moments:
    """One long SIMULATED stream of a forecaster."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.5, 2.2, moments)
    said = odds * course(np.arange(moments) / moments)
    return _answered(rng, odds, said)


def people(count: int, seed: int, moments: int = 200) -> list[Moments]:
    """SIMULATED people who differ in what they usually want, and in how far their forecaster may be believed."""
    drawn = []
    for k in range(count):
        rng = np.random.default_rng((seed, k))
        factor, usual, offset = math.exp(rng.normal(0, 0.3)), rng.normal(0, 1.5), rng.normal(0, 0.4)
        odds = rng.normal(usual, 2.0, moments)
        drawn.append(_answered(rng, odds, factor * odds + offset))
    return drawn


def keep(
    threshold: Threshold, moments: Moments, seed: int, *, audits: float = AUDITS, warm_up: int = 0
) -> Kept:
    """Run the loop of deciding and asking over a stream.

    Parameters
    ----------
    threshold
        From where it decides; it learns on.
    moments
        The stream.
    seed
        Of the audits.
    audits
        Share of confident moments that are asked; 1 reveals every truth and asks nothing for it.
    warm_up
        Moments at the beginning that are all asked, not counted, and told without their truth.
    """
    rng = np.random.default_rng((seed, 7))
    every = audits >= 1.0
    decided = wrong = 0
    for k, (confidence, right) in enumerate(
        zip(moments.confidence.tolist(), moments.right.tolist(), strict=True)
    ):
        action = choose(
            confidence,
            threshold.threshold,
            warming_up=k < warm_up,
            u=rng.random(),
            audits=0.0 if every else audits,
            left_today=None,
        ).action
        if action is Action.DECIDE:
            decided += 1
            wrong += not right
        told = k >= warm_up and (every or action is Action.ASK)
        threshold.update(confidence, right if told else None)
    return Kept(len(moments.confidence) - warm_up, decided, wrong)


def start_from(others: Sequence[Moments]) -> tuple[float, list[float]]:
    """What other people give a new one to start from: a threshold, and 500 typical confidences."""
    confidence = np.concatenate([m.confidence for m in others])
    right = np.concatenate([m.right for m in others])
    typical = np.quantile(confidence, np.linspace(0, 1, 500))
    return first_threshold(confidence.tolist(), right.tolist(), PROMISE), typical.tolist()


def adaptive(start: float, others: Sequence[float]) -> Threshold:
    """The threshold that people get, with what others give it."""
    return AdaptiveThreshold(start, alpha=PROMISE, others=others, others_weigh=100.0)


class Frozen:
    """The others' threshold for ever: what a study without feedback would use."""

    def __init__(self, start: float) -> None:
        self.threshold = start

    def update(self, confidence: float, right: bool | None = None) -> None:
        """Learn nothing."""


class Stepping:
    """Adaptive conformal inference: each wrong decision found out is a step up, each right one a small step down.

    Parameters
    ----------
    start
        Threshold to begin with.
    step
        Of log-odds for each wrong decision; for a right one PROMISE / (1 - PROMISE) of it.

    References
    ----------
    Gibbs & Candes (2021), Adaptive conformal inference under distribution shift, NeurIPS; here on the moments that
    were decided and found out.
    """

    def __init__(self, start: float, step: float = 0.2) -> None:
        self._at, self._step = math.log(start / (1 - start)), step

    @property
    def threshold(self) -> float:
        """From which confidence on it decides."""
        return 1 / (1 + math.exp(-self._at))

    def update(self, confidence: float, right: bool | None = None) -> None:
        """Step, where a moment that it decided, or would have decided, was found out."""
        if right is not None and confidence >= self.threshold:
            self._at += self._step * ((not right) - PROMISE) / (1 - PROMISE)
            self._at = min(max(self._at, 0.0), 6.2)


def _answered(rng: np.random.Generator, odds: Floats, said: Floats) -> Moments:
    truth = rng.random(len(odds)) < 1 / (1 + np.exp(-odds))
    p = np.clip(1 / (1 + np.exp(-said)), _CLIP, 1 - _CLIP)
    return Moments(np.maximum(p, 1 - p), (p >= 0.5) == truth)
