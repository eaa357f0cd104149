"""What emotion learners of different people have in common: the mean of what each has learned.

Each person counts the same, however often they correct: the mean is of people, not of corrections, and nobody's
habits outweigh another's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.affect import EMOTIONS
from tracker.learning.learner import EmotionLearner
from tracker.learning.replay import LearningEvent, fit


def pooled_emotion(people: Mapping[str, Sequence[LearningEvent]]) -> dict[str, Any]:
    """Fit a prior for `EmotionLearner.from_prior`: a pure function of its rows, whatever order people come in.

    Parameters
    ----------
    people
        The events of each person, in recording order.

    Examples
    --------
    >>> from tracker.domain.affect import Distribution, Emotion
    >>> said = LearningEvent({"read": 1.0}, Distribution.said(Emotion.FEAR), 1.0)
    >>> alone, both = pooled_emotion({"a": [said]}), pooled_emotion({"a": [said], "b": []})
    >>> both["weights"]["fear"]["read"] == alone["weights"]["fear"]["read"] / 2
    True
    """
    learned = [fit(None, events).snapshot() for events in people.values()]
    pooled = EmotionLearner.fresh().snapshot()
    pooled["weights"] = _means([snapshot["weights"] for snapshot in learned])
    if any(snapshot["said"] for snapshot in learned):
        pooled["said"] = _means([snapshot["said"] for snapshot in learned])
    pooled["credit"] = _mean([snapshot["credit"] for snapshot in learned])
    return pooled


def _means(tables: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    names = sorted({name for table in tables for row in table.values() for name in row})
    return {
        e.value: {name: _mean([table.get(e.value, {}).get(name, 0.0) for table in tables]) for name in names}
        for e in EMOTIONS
    }


def _mean(values: Sequence[float]) -> float:
    # Rounded once, so that the order of people cannot change a bit.
    return math.fsum(values) / len(values)
