"""What a learner is rebuilt from, its prior and its corrections: the source of truth that snapshots only cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.learning.learner import EmotionLearner


@dataclass(frozen=True, slots=True)
class LearningEvent:
    """One correction as it was learned: features, label and weight, stored with it for replay.

    Parameters
    ----------
    features
        As they were seen.
    label
        What the kind of learner takes: a `Distribution`, or a number (`tracker.learning.kinds`).
    weight
        How much it counts.
    """

    features: Mapping[str, float]
    label: Any
    weight: float


def fit(prior: Mapping[str, Any] | None, events: Iterable[LearningEvent]) -> EmotionLearner:
    """Learn the events of an emotion learner, in order, from a prior: a pure function of its arguments.

    Because it gives the very bits that learning live gave, leaving an event out *is* unlearning it;
    undo, withdrawal and erasure rest on that.

    Parameters
    ----------
    prior
        A snapshot fitted on other people, or None to start from the network.
    events
        In recording order.

    Examples
    --------
    >>> fit(None, []).snapshot() == EmotionLearner.fresh().snapshot()
    True
    """
    learner = EmotionLearner.fresh() if prior is None else EmotionLearner.from_prior(prior)
    for event in events:
        learner.learn(event.features, event.label, event.weight)
    return learner
