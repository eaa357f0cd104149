"""Real faces as the shipped network reads them, and how real people disagree about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

Stages = Callable[[str, float], None]
"""Called with the step that runs and the share of it, 0 to 1, that is done."""


@dataclass(frozen=True)
class Faces:
    """Faces with what they show by most FER+ votes, and the network's calibrated reading.

    Attributes
    ----------
    log_p
        (N, 8) calibrated log-probabilities of the FER+ head, in the order of `EMOTIONS`.
    shown
        (N,) index of the emotion with most votes.
    votes
        (N, 8) counts of the votes for emotions ("unknown" and "not a face" left out).
    network
        Id of the network that read them.
    """

    log_p: Floats
    shown: Indices
    votes: Indices
    network: str

    def __len__(self) -> int:
        return len(self.shown)

    def confusion(self) -> Floats:
        """P(one vote | most votes), (8, 8): how people name what a face shows; rows sum to 1.

        Examples
        --------
        >>> votes = np.eye(8, dtype=np.int64) * 9
        >>> votes[0, 3] = 1
        >>> faces = Faces(np.zeros((8, 8)), np.arange(8), votes, "none")
        >>> faces.confusion()[0].round(2).tolist()
        [0.9, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0]
        """
        counts = np.stack([self.votes[self.shown == k].sum(axis=0) for k in range(len(EMOTIONS))])
        # An emotion that no face shows is named as it is; it will not be shown either.
        counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, np.eye(len(EMOTIONS)))
        shares: Floats = counts / counts.sum(axis=1, keepdims=True)
        return shares
