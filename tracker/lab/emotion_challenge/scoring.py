"""What an estimate costs, expected over what a person may feel or say: cross-entropy, Brier score, error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.lab.emotion_challenge.faces import Floats, Indices
from tracker.lab.emotion_challenge.people import N

SCORES = ("cross_entropy", "brier", "error_rate")
"""Cross-entropy in nats, probabilities floored at 1e-4; Brier score of eight classes, 0 to 2; share of wrong tops."""

TRUTHS = ("felt", "said")
"""What an estimate is held against: what was felt, or what was said of it."""

FLOOR = 1e-4


@dataclass(frozen=True)
class HeldOut:
    """Faces that nobody corrects, to judge estimates on: expected scores leave out the chance of a few draws.

    Attributes
    ----------
    log_p
        (n, 8) the network's readings.
    member
        (8, n) 1 where a face (column) shows an emotion (row).
    """

    log_p: Floats
    member: Floats

    @classmethod
    def of(cls, log_p: Floats, shown: Indices) -> HeldOut:
        """Take readings (n, 8) and what the faces show (n,)."""
        return cls(log_p, (shown == np.arange(N)[:, None]).astype(np.float64))

    def expected(self, estimate: Floats, truths: Floats) -> Floats:
        """Score an estimate (n, 8) against each of K tables P(truth | shown), (K, 8, 8): gives (K, 3).

        Examples
        --------
        >>> two = HeldOut.of(np.zeros((2, 8)), np.array([0, 1]))
        >>> sure = np.eye(8)[:2]
        >>> two.expected(sure, np.eye(8)[None]).round(3).tolist()
        [[0.0, 0.0, 0.0]]
        """
        n = len(estimate)
        summed = self.member @ np.concatenate(
            [np.log(np.maximum(estimate, FLOOR)), estimate, np.eye(N)[estimate.argmax(axis=1)]], axis=1
        )
        log_q, q, top = (np.einsum("kij,ij->k", truths, part) / n for part in np.split(summed, 3, axis=1))
        square = float((estimate**2).sum()) / n
        return np.stack([0 - log_q, square - 2 * q + 1, 1 - top], axis=1)


def drawn(estimate: Floats, truth: Indices) -> Floats:
    """Score estimates (..., 8) against truths that were drawn (...): gives (..., 3)."""
    q = np.take_along_axis(estimate, truth[..., None], axis=-1)[..., 0]
    return np.stack(
        [
            -np.log(np.maximum(q, FLOOR)),
            (estimate**2).sum(axis=-1) - 2 * q + 1,
            (estimate.argmax(axis=-1) != truth).astype(np.float64),
        ],
        axis=-1,
    )
