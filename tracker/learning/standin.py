"""STAND-IN until the lead's learners are here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tracker.learning.learner import SnapshotError


class _Linear:
    FORMAT = ""

    def __init__(self) -> None:
        self.weights: dict[str, float] = {}
        self.learned = 0

    @classmethod
    def fresh(cls, prior: Mapping[str, Any] | None = None) -> Any:
        made = cls()
        if prior is not None:
            made = cls.restore(prior)
            made.learned = 0
        return made

    def _sum(self, features: Mapping[str, float]) -> float:
        return math.fsum(self.weights.get(k, 0.0) * v for k, v in sorted(features.items()))

    def _step(self, features: Mapping[str, float], error: float, weight: float) -> None:
        if not all(map(math.isfinite, features.values())) or not 0 <= weight <= 1:
            raise ValueError("not finite")
        norm = 1 + math.fsum(v * v for v in features.values())
        for k, v in sorted(features.items()):
            self.weights[k] = self.weights.get(k, 0.0) + weight * error * v / norm
        self.learned += 1

    def snapshot(self) -> dict[str, Any]:
        return {"format": self.FORMAT, "learned": self.learned, "weights": dict(sorted(self.weights.items()))}

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> Any:
        if snapshot.get("format") != cls.FORMAT:
            raise SnapshotError("other format")
        made = cls()
        made.weights, made.learned = dict(snapshot["weights"]), snapshot["learned"]
        return made


class YesNoLearner(_Linear):
    FORMAT = "yesno"

    def predict(self, features: Mapping[str, float]) -> float:
        return 1 / (1 + math.exp(-self._sum(features)))

    def learn(self, features: Mapping[str, float], share: float, weight: float) -> None:
        self._step(features, share - self.predict(features), weight)


class NumberLearner(_Linear):
    FORMAT = "number"

    def predict(self, features: Mapping[str, float]) -> tuple[float, float]:
        return max(-1.0, min(1.0, self._sum(features))), 0.5

    def learn(self, features: Mapping[str, float], value: float, weight: float) -> None:
        self._step(features, value - self.predict(features)[0], weight)


def fit_prior(cls: type[_Linear], people: Mapping[str, Any]) -> dict[str, Any]:
    made = cls()
    for _, events in sorted(people.items()):
        for e in events:
            made.learn(e.features, e.label, e.weight)  # type: ignore[attr-defined]
    return made.snapshot()
