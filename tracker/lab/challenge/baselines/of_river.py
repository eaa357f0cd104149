"""River's own learners, one per person, on our features: what anybody has who learns online from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from river import forest, linear_model, preprocessing

from tracker.lab.challenge.baselines.seeing import Seeing
from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster, Maker
from tracker.learning.histories import AT
from tracker.learning.situations import Answer, Situation

TREES = 10
"""Trees of the adaptive forest: river's own choice."""


class RiverLogistic:
    """``StandardScaler | LogisticRegression``; a feature that is missing counts as its mean, 0 once scaled.

    The scaler learns from every moment that is forecast, told or not: that takes no answer.
    """

    name = "river_logistic"

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Take nothing from others."""
        return _Logistic


class _Logistic(Seeing):
    def __init__(self) -> None:
        super().__init__()
        self._scaler: Any = preprocessing.StandardScaler()
        self._model: Any = linear_model.LogisticRegression()

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        x = _without_instant(features)
        self._scaler.learn_one(x)
        return float(self._model.predict_proba_one(self._scaler.transform_one(x))[True])

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        x = self._scaler.transform_one(_without_instant(features))
        # An "either" is half a yes and half a no.
        for truth, weight in ((True, answer.share), (False, 1.0 - answer.share)):
            if weight:
                self._model.learn_one(x, truth, weight * answer.weight)


class RiverForest:
    """``ARFClassifier``, which takes hard labels only: an "either" teaches it nothing."""

    name = "river_arf"
    references = 1

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Take nothing from others."""

        def make() -> Forecaster:
            return _Forest(self._seed)

        return make


class _Forest(Seeing):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self._model: Any = forest.ARFClassifier(n_models=TREES, seed=seed)

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        said = self._model.predict_proba_one(_without_instant(features))
        total = sum(said.values())
        return float(said.get(True, 0.0) / total) if total else 0.5

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        if answer.share != 0.5:
            self._model.learn_one(_without_instant(features), answer.share > 0.5)


def _without_instant(features: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in features.items() if name != AT}
