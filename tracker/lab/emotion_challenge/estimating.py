"""What a learner says of many faces at once: its snapshot as matrices, equal to asking it one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.domain.affect import EMOTIONS
from tracker.lab.emotion_challenge.faces import Floats
from tracker.learning.features import Moment, features
from tracker.learning.learner import EmotionLearner

NAMES = ("day=weekday", "day=weekend", "hour_cos", "hour_sin", "read")
"""Features of a moment with a reading and no context, besides the reading."""


def situations(moments: Sequence[Moment]) -> Floats:
    """Give the features of moments without context as rows of unit length, columns `NAMES`: (n, 5)."""
    rows = np.zeros((len(moments), len(NAMES)))
    for row, moment in zip(rows, moments, strict=True):
        named = {**features(None, moment), "read": 1.0}
        row[:] = [named.get(name, 0.0) for name in NAMES]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)  # type: ignore[no-any-return]


def estimates(learner: EmotionLearner, log_p: Floats, situation: Floats) -> Floats:
    """Ask a learner about n faces: (n, 8).

    Parameters
    ----------
    learner
        One that knows no context.
    log_p
        (n, 8) what the network read, floored and normalised as by `Reading`.
    situation
        (n, 5), of `situations`.
    """
    frozen = learner.snapshot()
    settings = learner.settings
    p = meant = np.exp(log_p)
    if frozen["said"]:
        counts = np.array([[frozen["said"][b.value][k.value] for k in EMOTIONS] for b in EMOTIONS])
        scaled = p / (settings.trust + counts.sum(axis=1))
        meant = settings.trust * scaled + scaled @ counts
    weights = np.array([[frozen["weights"][e.value].get(name, 0.0) for e in EMOTIONS] for name in NAMES])
    shifted = p * np.exp(np.clip(situation @ weights, -settings.bound, settings.bound))
    shifted /= shifted.sum(axis=1, keepdims=True)
    share = 1 / (1 + np.exp(-frozen["credit"]))
    return share * shifted + (1 - share) * meant  # type: ignore[no-any-return]
