"""When a learner is sure enough to decide alone: a threshold that keeps what it decides as right as promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.learning.rightness import MOST, RightnessCurve, log_odds

FORMAT = "affect-tracker/threshold"
FORMAT_VERSION = 1
NEVER = 1.01
"""A threshold that no confidence reaches: nothing is right often enough."""

_STEP = 0.1
_GRID: NDArray[np.float64] = np.arange(0.0, MOST + _STEP / 2, _STEP)


class AdaptiveThreshold:
    """The lowest confidence from which decisions are wrong at most `alpha` of the time, for one person.

    It knows two things about the person: how often each confidence occurs (every moment tells), and how often each
    confidence is right (`RightnessCurve`; only moments whose truth was revealed tell: warm-up, questions, audits).
    The threshold is the lowest at which the expected error *among the moments decided* is `alpha`. Questions are
    put below the threshold and audits drawn by chance above it, so given the confidence it is chance alone which
    truth is revealed, and no weighting by the audit rate is needed; that is what makes a month with two audits
    enough. It holds as long as people skip questions for reasons that have nothing to do with the answer.

    Tell it the truths of the warm-up as None: the learner was still getting to know the person, and was right less
    often than it will be.

    Before its first answer the threshold is `start`. In 20,000 simulated moments of forecasters that are, or become,
    far over- or underconfident it errs in 4.5 to 5.0 % when told every truth and in 4.2 to 5.5 % (means of two streams;
    single ones 4.0 to 5.9 %) with audits of 3 %, where the frozen `start` errs in 2.4 to 9.5 %. Adaptive conformal
    inference (Gibbs & Candes 2021), which steps by the errors found out alone, is its equal when told every truth,
    but with audits of 3 % it errs in 2.9 to 8.3 %: a person's 5 to 10 audits a month are too few to step by.
    `tracker.lab.abstention_study` compares them.

    Parameters
    ----------
    start
        The threshold that kept the promise on other people (`first_threshold`).
    alpha
        Share of wrong decisions that is promised at most.
    spread
        How much people differ in how right a confidence is (standard deviation in log-odds). Larger moves further with
        each of a person's answers, towards a promise kept for each of them; as easy people err less than promised
        whatever the threshold, all together then decide less than they might.
    drift
        How much that changes from answer to answer (variance, log-odds squared). 6e-5 follows a change over
        some thousand moments; 0 averages for ever.
    others
        Confidences of other people, to know how often each occurs until the person's own have come.
    others_weigh
        How many of the person's own moments they are worth.
    memory
        Over how many of the person's last moments confidences are counted.

    Examples
    --------
    >>> threshold = AdaptiveThreshold(0.9)
    >>> round(threshold.threshold, 3), threshold.decides(0.93), threshold.decides(0.85)
    (0.9, True, False)
    >>> for _ in range(20):
    ...     threshold.update(0.92, right=False)
    >>> threshold.decides(0.93)
    False
    """

    def __init__(
        self,
        start: float,
        *,
        alpha: float = 0.05,
        spread: float = 0.15,
        drift: float = 6e-5,
        others: Sequence[float] | None = None,
        others_weigh: float = 50.0,
        memory: int = 300,
    ) -> None:
        if not 0.5 < start < 1.0:
            raise ValueError(f"a threshold to start from lies in (0.5, 1), not at {start}")
        if not 0.0 < alpha < 0.5:
            raise ValueError(f"promised error {alpha} is not in (0, 0.5)")
        self.start, self.alpha, self.spread, self.drift = start, alpha, spread, drift
        self.others_weigh, self.memory = others_weigh, memory
        counts = _spread_out() if others is None else _counted(others)
        self._counts = counts / counts.sum() * others_weigh
        self._curve = RightnessCurve(0.0, log_odds(start), spread, drift)
        self._curve.mean[0] = self._level_of(log_odds(start))
        self._threshold = start

    @property
    def threshold(self) -> float:
        """The confidence from which it decides; `NEVER` while none is enough."""
        return self._threshold

    def decides(self, confidence: float) -> bool:
        """Whether a decision of this confidence may be made without asking."""
        return confidence >= self._threshold

    def error_at(self, threshold: float) -> float:
        """Expected share of wrong decisions if this were the threshold."""
        return float(np.interp(log_odds(threshold), _GRID, self._errors()))

    def update(self, confidence: float, right: bool | None = None, *, stands_for: float = 1.0) -> None:
        """Take in one moment.

        Parameters
        ----------
        confidence
            max(p, 1 - p) as it was said before the truth was known.
        right
            Whether the decision was, or would have been, contradicted by nobody ("either is fine" contradicts
            none); None where the truth stayed unknown. Tell every moment, also those decided in silence.
        stands_for
            How many moments this one stands for in the count of confidences, where not every moment is told:
            1 / share for one drawn at random from those decided in silence.
        """
        at = log_odds(confidence)
        total = float(self._counts.sum())
        if total > self.memory:
            self._counts *= max(1.0 - stands_for / self.memory, 0.5)
        self._counts[round(at / _STEP)] += stands_for
        if right is not None:
            self._curve.learn(at, right)
        self._threshold = self._lowest()

    def snapshot(self) -> dict[str, Any]:
        """Freeze as plain JSON."""
        mean, covariance = self._curve.state()
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "settings": {
                "start": self.start,
                "alpha": self.alpha,
                "spread": self.spread,
                "drift": self.drift,
                "others_weigh": self.others_weigh,
                "memory": self.memory,
            },
            "threshold": self._threshold,
            "counts": self._counts.tolist(),
            "mean": mean,
            "covariance": covariance,
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> AdaptiveThreshold:
        """Thaw a snapshot; it goes on with the same bits.

        Raises
        ------
        ValueError
            When it is not one of ours or is damaged: replay the moments instead.
        """
        found = (snapshot.get("format"), snapshot.get("version"))
        if found != (FORMAT, FORMAT_VERSION):
            raise ValueError(
                f"threshold is {found[0]!r} version {found[1]!r}, this code reads {FORMAT!r} version "
                f"{FORMAT_VERSION}: replay the moments instead"
            )
        try:
            made = cls(**snapshot["settings"])
            made._threshold = float(snapshot["threshold"])
            counts = np.asarray(snapshot["counts"], dtype=np.float64)
            made._curve.resume(snapshot["mean"], snapshot["covariance"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"threshold is damaged ({error!r}): replay the moments instead") from error
        if counts.shape != _GRID.shape or not (np.isfinite(counts).all() and (counts >= 0).all()):
            raise ValueError("threshold holds impossible counts: replay the moments instead")
        made._counts = counts
        return made

    def _lowest(self) -> float:
        error = self._errors()
        kept = np.flatnonzero(error <= self.alpha)
        if not len(kept):
            return NEVER
        first = int(kept[0])
        at = float(_GRID[first])
        if first and error[first - 1] > error[first]:
            at -= _STEP * float((self.alpha - error[first]) / (error[first - 1] - error[first]))
        return 1.0 / (1.0 + math.exp(-at))

    def _level_of(self, start: float) -> float:
        # The level at which the others' threshold is this person's too: error falls as the level rises.
        low, high = -12.0, 12.0
        for _ in range(60):
            middle = (low + high) / 2
            self._curve.mean[0] = middle
            error = float(np.interp(start, _GRID, self._errors()))
            low, high = (middle, high) if error > self.alpha else (low, middle)
        return high

    def _errors(self) -> NDArray[np.float64]:
        # Summed from the top: what goes wrong at or above each confidence, among how many moments.
        moments = np.cumsum(self._counts[::-1])[::-1]
        wrong = np.cumsum((self._counts * self._curve.wrong(_GRID))[::-1])[::-1]
        return np.asarray(wrong / np.maximum(moments, 1e-9))


def first_threshold(confidences: Sequence[float], right: Sequence[bool], alpha: float = 0.05) -> float:
    """Give the lowest threshold that kept the promise on other people, to start a new person from.

    Parameters
    ----------
    confidences, right
        Of others' moments with known truth (n,), as a closed loop had them: from the days that the threshold is
        for, as the early ones make it too strict.
    alpha
        Share of wrong decisions that is promised at most.

    Returns
    -------
    float
        In (0.5, 1); 0.998 where nothing keeps the promise.

    Examples
    --------
    >>> first_threshold([0.99, 0.9, 0.8, 0.7], [True, True, False, True], alpha=0.3)
    0.7
    >>> first_threshold([0.99, 0.9, 0.8, 0.7], [True, True, False, True], alpha=0.1)
    0.9
    """
    if len(confidences) != len(right):
        raise ValueError(f"{len(confidences)} confidences, but {len(right)} outcomes")
    c = np.asarray(confidences, dtype=np.float64)
    order = np.argsort(-c, kind="stable")
    c, wrong = c[order], ~np.asarray(right, dtype=bool)[order]
    error = np.cumsum(wrong) / np.arange(1, len(c) + 1)
    # Moments of equal confidence are decided together or not at all.
    last_of_equal = np.append(c[1:] != c[:-1], True) if len(c) else np.zeros(0, dtype=bool)
    kept = np.flatnonzero((error <= alpha) & last_of_equal)
    lowest = float(c[kept[-1]]) if len(kept) else 0.998
    return min(max(lowest, 0.5001), 0.998)


def _counted(confidences: Sequence[float]) -> NDArray[np.float64]:
    counts = np.full(len(_GRID), 0.01)
    for confidence in confidences:
        counts[round(log_odds(confidence) / _STEP)] += 1.0
    return counts


def _spread_out() -> NDArray[np.float64]:
    # Half a bell over log-odds: about what forecasters of between 80 and 85 % accuracy show.
    return np.asarray(np.exp(-0.5 * (_GRID / 2.2) ** 2))
