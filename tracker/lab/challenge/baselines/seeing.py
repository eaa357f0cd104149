"""What the baselines that look at a moment have in common: they see exactly the features that ours sees."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tracker.learning.histories import History
from tracker.learning.situations import Answer, Situation


class Seeing(ABC):
    """A forecaster with a history; its features are made once per moment."""

    def __init__(self) -> None:
        self._history = History()
        self._seen: tuple[Situation, dict[str, float]] | None = None

    def predict(self, situation: Situation) -> float:
        """The probability of yes, from what is known now and was told before."""
        return self.forecast(self._features(situation), situation)

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        """Take in a moment after the decision; None where the truth was not told."""
        if answer is not None:
            self.hear(self._features(situation), answer)
        self._history.add(situation, answer)
        self._seen = None

    def _features(self, situation: Situation) -> dict[str, float]:
        if self._seen is None or self._seen[0] is not situation:
            self._seen = situation, self._history.features(situation)
        return self._seen[1]

    @abstractmethod
    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        """The probability of yes at these features."""

    @abstractmethod
    def hear(self, features: dict[str, float], answer: Answer) -> None:
        """Learn from an answer that was told."""
