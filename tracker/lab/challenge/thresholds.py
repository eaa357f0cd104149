"""How sure is sure enough: thresholds from other people's closed loops, by the period of their participation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.lab.challenge.looping import Walk
from tracker.lab.challenge.outcomes import BoolArray, FloatArray
from tracker.learning.abstention import NEVER

FIRST_GUESSES = {"decided": 0.9, "system": 0.8}
"""Where the other people's loops ask while the thresholds are being found."""

PROMISE = 0.95
MARGINS = {"decided": 0.006, "system": 0.006}
"""Aimed at above the promise: a threshold from twenty people wanders, and 95 % shall stay 95 % on new ones.

With 16 calibrated people to learn from and 20 new ones, .006 keeps the promise four times in five (decided) and nine in
ten (system); see ``docs/leave-me-alone.md``.
"""

LATE = 0.55
"""The late period begins after this share of the days that people take part."""

_MOST = 0.9995


@dataclass(frozen=True, slots=True)
class Periodic:
    """A threshold for the early days of a participation, and one for the late days."""

    late_from: int
    early: float
    late: float

    def __call__(self, day: int) -> float:
        """The threshold of a day."""
        return self.late if day >= self.late_from else self.early


def late_from(last_days: Sequence[int], warmup: int) -> int:
    """The first day of the late period of people whose last days these are.

    Examples
    --------
    >>> late_from([30, 33, 28], 7), late_from([21], 7)
    (17, 12)
    """
    typical = min(float(np.median(last_days)), 30.0) if last_days else 30.0
    return max(warmup + 1, int(np.ceil(LATE * typical)))


def periodic(walks: Sequence[Walk], point: str, warmup: int, audits: float) -> Periodic:
    """Learn both thresholds from other people's loops.

    Parameters
    ----------
    walks
        One or more loops of each person.
    point
        ``decided`` (what is decided is right 95 % of the time) or ``system`` (95 % of all moments end right).
    """
    split = late_from([int(w.day.max()) for w in walks if len(w.day)], warmup)
    day = np.concatenate([w.day for w in walks]) if walks else np.zeros(0, dtype=np.int64)
    confidence = np.concatenate([w.confidence for w in walks]) if walks else np.zeros(0)
    right = np.concatenate([w.right for w in walks]) if walks else np.zeros(0, dtype=np.bool_)
    choose = decided_threshold if point == "decided" else system_threshold
    found = []
    for first in (warmup + 1, split):
        kept = day >= first
        found.append(choose(confidence[kept], right[kept], audits))
    return Periodic(split, found[0], found[1])


def rightness(confidence: FloatArray, right: BoolArray) -> FloatArray:
    """How often each confidence is right: Platt's two-parameter curve in the log-odds, slope never negative."""
    z = _log_odds(confidence)
    design = np.column_stack([z, np.ones(len(z))])
    beta = start = np.array([1.0, 0.0])
    # A weak pull to "as sure as it is right" keeps the curve finite where everything was right.
    pull = np.array([2.0, 2.0])

    def loss(at: FloatArray) -> float:
        eta = design @ at
        return float(np.sum(np.logaddexp(0.0, eta) - right * eta) + 0.5 * pull @ (at - start) ** 2)

    for _ in range(40):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (p - right) + pull * (beta - start)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(pull)
        step = np.linalg.solve(curvature, gradient)
        # A full step overshoots where surer moments are right no more often, and would swing for ever.
        size = next((s for s in 0.5 ** np.arange(20) if loss(beta - s * step) <= loss(beta)), 0.0)
        beta = beta - size * step
        if float(np.abs(step).max()) < 1e-8:
            break
    beta[0] = max(beta[0], 0.0)
    curve: FloatArray = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
    return curve


def decided_threshold(confidence: FloatArray, right: BoolArray, audits: float) -> float:
    """The lowest confidence at and above which decisions are right as often as promised, and the margin more."""
    if not len(confidence):
        return FIRST_GUESSES["decided"]

    def kept(chance: FloatArray) -> BoolArray:
        found: BoolArray = np.cumsum(chance) / np.arange(1, len(chance) + 1) >= PROMISE + MARGINS["decided"]
        return found

    return _between(confidence, right, kept)


def system_threshold(confidence: FloatArray, right: BoolArray, audits: float) -> float:
    """The lowest confidence from which deciding leaves at most the promised share of all moments wrong."""
    if not len(confidence):
        return FIRST_GUESSES["system"]

    def kept(chance: FloatArray) -> BoolArray:
        found: BoolArray = (
            np.cumsum(1.0 - chance) * (1.0 - audits) / len(chance) <= 1.0 - PROMISE - MARGINS["system"]
        )
        return found

    return _between(confidence, right, kept)


def _between(confidence: FloatArray, right: BoolArray, kept: Callable[[FloatArray], BoolArray]) -> float:
    """The mean of two thresholds: of what was counted, and of the smooth curve through it.

    The count alone follows the luck of single answers; the curve alone may find no threshold where the surest moments
    are right less often than it thinks.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    # Moments of one confidence are decided together: a threshold lies below all of them or above.
    last = np.append(falling[1:] < falling[:-1], True)
    chances = (right[order].astype(np.float64), rightness(confidence, right)[order])
    possible = [falling[last & kept(chance)] for chance in chances]
    found = [float(where[-1]) for where in possible if len(where)]
    return float(np.mean(found)) if found else NEVER


def _log_odds(confidence: FloatArray) -> FloatArray:
    clipped = np.clip(confidence, 0.5, _MOST)
    odds: FloatArray = np.log(clipped / (1.0 - clipped))
    return odds
