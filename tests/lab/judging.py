"""Small real networks that are judged, and what they say, computed another way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.fer.making import tiny_network, tiny_spec
from tracker.fer.engine import Engine
from tracker.fer.manifest import Head
from tracker.fer.zoo import Network

SEVEN = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")


def seven() -> Network:
    """A network without contempt, its head named after no data set."""
    return tiny_network(
        tiny_spec(
            SEVEN,
            arguments={"heads": {"emotion": 7}, "widths": [8, 8, 16], "depths": [1, 1]},
            heads=(Head("emotion", SEVEN, 1.7),),
        )
    )


def said(engine: Engine, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Probabilities (N, C) by the plainest way."""
    head = engine.network.spec.heads[0]
    z = engine.logits(crops)[head.name].astype(np.float64) / head.temperature
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))
