"""What an emotion learner is measured against, and the learner itself, behind one small interface."""

from __future__ import annotations

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.lab.prequential import UNIFORM, Corrected
from tracker.learning.learner import EmotionLearner
from tracker.learning.pipeline import bare


class Personal:
    """The learner under test."""

    def __init__(self, learner: EmotionLearner) -> None:
        self.learner = learner

    def predict(self, moment: Corrected) -> Distribution:
        """Ask the learner."""
        return self.learner.predict(moment.features)

    def learn(self, moment: Corrected) -> None:
        """Tell the learner."""
        self.learner.learn(moment.features, moment.label, moment.weight)


class Network:
    """The network alone; where there was no reading, uniform."""

    def predict(self, moment: Corrected) -> Distribution:
        """Repeat what the network said."""
        return moment.network

    def learn(self, moment: Corrected) -> None:
        """Learn nothing."""


class Majority:
    """What this person said so far, counted, with one count of every emotion to start from."""

    def __init__(self) -> None:
        self.counts = np.ones(len(EMOTIONS))

    def predict(self, moment: Corrected) -> Distribution:
        """Answer with the shares so far."""
        return Distribution.from_sequence(list(self.counts))

    def learn(self, moment: Corrected) -> None:
        """Count."""
        self.counts += np.array(moment.label.probabilities)


class LastValue:
    """What this person said last, at 0.6, over the shares so far."""

    def __init__(self) -> None:
        self.last, self.shares = UNIFORM, Majority()

    def predict(self, moment: Corrected) -> Distribution:
        """Answer with the last answer."""
        shares = self.shares.predict(moment).probabilities
        mixed = [0.6 * a + 0.4 * b for a, b in zip(self.last.probabilities, shares, strict=True)]
        return Distribution.from_sequence(mixed)

    def learn(self, moment: Corrected) -> None:
        """Remember."""
        self.last = moment.label
        self.shares.learn(moment)


class BareRiver:
    """River's own scaled softmax regression on the same features: the standard part."""

    def __init__(self) -> None:
        self.pipeline = bare()

    def predict(self, moment: Corrected) -> Distribution:
        """Ask it; what it has never seen gets nothing, and before the first answer it is uniform."""
        said = self.pipeline.predict_proba_one(dict(moment.features))
        return Distribution.from_sequence([said.get(e.value, 0.0) for e in EMOTIONS]) if said else UNIFORM

    def learn(self, moment: Corrected) -> None:
        """Tell it the likeliest emotion alone: it takes neither distributions nor weights."""
        self.pipeline.learn_one(dict(moment.features), moment.label.top.value)


class Oracle:
    """What was really felt: the ceiling that chance in people's answers leaves."""

    def predict(self, moment: Corrected) -> Distribution:
        """Tell the truth."""
        return moment.felt

    def learn(self, moment: Corrected) -> None:
        """Know already."""
