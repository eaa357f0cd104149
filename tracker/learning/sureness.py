"""A learner's probability, corrected by how often this sureness turned out right for this person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracker.learning.rightness import RightnessCurve, log_odds

LEVEL, BEND = 0.0, 2.2
"""The curve of somebody of whom nothing is known yet: as right as it is sure; its slope may change at .9."""

SPREAD = 0.5
"""How much people differ in it, in log-odds."""

DRIFT = 1e-4
"""How much it changes from answer to answer (variance, log-odds squared)."""

_LEAST = 0.5001


class PersonalSureness:
    """How sure a learner may be of one person, learned from the answers that could contradict it.

    A learner that was sure of somebody who then changed goes on being sure until enough answers have come; its record
    says so sooner. The side of a probability never changes, only its distance from one half.

    Examples
    --------
    >>> sureness = PersonalSureness()
    >>> before = sureness.of(0.95)
    >>> for _ in range(5):
    ...     sureness.learn(0.95, share=0.0)
    >>> before > 0.9, sureness.of(0.95) < 0.85, sureness.of(0.05) > 0.15
    (True, True, True)
    """

    def __init__(self) -> None:
        self._curve = RightnessCurve(LEVEL, BEND, SPREAD, DRIFT)

    def of(self, said: float) -> float:
        """Give the probability that stands for `said`, on the same side of one half."""
        at = log_odds(max(said, 1.0 - said))
        if said == 0.5:
            return said
        right = max(1.0 - float(self._curve.wrong(np.array([at]))[0]), _LEAST)
        return right if said >= 0.5 else 1.0 - right

    def learn(self, said: float, share: float, weight: float = 1.0) -> None:
        """Take in an answer (1 yes, 0 no, between them either) to what was said before it; it weighs `weight` > 0."""
        contradicted = share == 0.0 if said >= 0.5 else share == 1.0
        self._curve.learn(log_odds(max(said, 1.0 - said)), not contradicted, weight)

    def freeze(self) -> dict[str, Any]:
        """Plain JSON."""
        mean, covariance = self._curve.state()
        return {"mean": mean, "covariance": covariance}

    def thaw(self, frozen: Mapping[str, Any]) -> None:
        """Take over what `freeze` gave; raise `ValueError` or `KeyError` where it does not fit."""
        self._curve.resume(frozen["mean"], frozen["covariance"])
