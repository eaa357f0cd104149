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
    learners = [fit(None, events).snapshot()["weights"] for events in people.values()]
    names = sorted({name for weights in learners for emotion in EMOTIONS for name in weights[emotion.value]})
    pooled = EmotionLearner.fresh().snapshot()
    pooled["weights"] = {
        e.value: {
            # Rounded once, so that the order of people cannot change a bit.
            name: math.fsum(weights[e.value].get(name, 0.0) for weights in learners) / len(learners)
            for name in names
            if any(name in weights[e.value] for weights in learners)
        }
        for e in EMOTIONS
    }
    return pooled
