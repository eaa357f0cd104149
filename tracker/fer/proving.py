"""Numbers in reduced precision are believed once they have been compared: on the first faces that are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tracker.fer.calibration import calibrate
from tracker.fer.running import Crops, Logits, Plain
from tracker.fer.zoo import Network

NEAR = 1e-2
"""How far a calibrated probability may be from float32's."""

FACES = 64
"""How many faces are read both ways."""


class Proof:
    """Compares what was read with what float32 reads on the same device, until enough faces were compared.

    The faces are those of whoever uses the engine: no others say as much about theirs, and none has to ship.

    Parameters
    ----------
    network, device
        As for `tracker.fer.running.Plain`.

    Attributes
    ----------
    left
        Faces that are still to be compared.
    """

    def __init__(self, network: Network, device: torch.device) -> None:
        self._heads = network.spec.heads
        self._reference = Plain(network, device, torch.float32)
        self.left = FACES

    def gap(self, requests: Sequence[Crops], found: Logits) -> float:
        """Return the largest difference of a probability over the crops compared; infinite where one is no number."""
        crops = np.concatenate(requests)[: self.left]
        exact = self._reference.finish(self._reference.start([crops]))
        largest = 0.0
        for head in self._heads:
            one, other = (
                np.exp(calibrate(z[head.name][: len(crops)], head.temperature, head.smoothing))
                for z in (found, exact)
            )
            gap = float(np.abs(one - other).max(initial=0.0))
            largest = max(largest, gap if np.isfinite(gap) else np.inf)
        self.left -= len(crops)
        return largest
