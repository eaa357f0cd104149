"""One person's learners of yes-or-no and of numbers: a river pipeline over a pooled prior, frozen as JSON."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from importlib.metadata import version
from typing import Any, ClassVar, Self

from tracker.learning.learner import SnapshotError
from tracker.learning.personal_regression import PersonalLinear, PriorScaler
from tracker.learning.prior import Prior, PriorError, no_prior
from tracker.learning.sureness import PersonalSureness
from tracker.learning.three_answers import EITHER, NO, YES, ThreeAnswers
from tracker.learning.weights import MAX_WEIGHT

FORMAT_VERSION = 2

_SURE = 1e-4
"""No probability nearer to 0 or 1 than this is said: nobody's answers support it."""


class _AnswerLearner(ABC):
    """What both learners share: the pipeline's parts, the count, and freezing."""

    FORMAT: ClassVar[str]
    KIND: ClassVar[str]

    def __init__(self, prior: Prior, estimator: ThreeAnswers | PersonalLinear) -> None:
        self.prior = prior
        self._estimator = estimator
        from river import compose  # noqa: PLC0415 - loads pandas and SciPy

        self._pipeline = compose.Pipeline(PriorScaler(prior), estimator)

    @classmethod
    @abstractmethod
    def _over(cls, prior: Prior) -> Self:
        """Put the kind's own estimator over a prior."""

    @classmethod
    def fresh(cls, prior: Mapping[str, Any] | None = None) -> Self:
        """Start from other people's prior (its JSON), or from nothing.

        Raises
        ------
        PriorError
            When it cannot be read or is of another kind.
        """
        thawed = no_prior(cls.KIND) if prior is None else Prior.from_json(prior)
        if thawed.kind != cls.KIND:
            raise PriorError(f"a prior for {thawed.kind} cannot start a learner of {cls.KIND}")
        return cls._over(thawed)

    @property
    def learned(self) -> int:
        """How many answers were learned since the start (those that weigh nothing aside)."""
        return self._estimator.learned

    @property
    def weights(self) -> dict[str, float]:
        """What moves the prediction, by feature, on the prior's scale; the intercept under the empty name."""
        return self._estimator.weights

    def _freeze(self) -> dict[str, Any]:
        return self._estimator.freeze()

    def _thaw(self, state: Mapping[str, Any]) -> None:
        self._estimator.thaw(state)

    def snapshot(self) -> dict[str, Any]:
        """Freeze as plain JSON, at most 64 KiB."""
        return {
            "format": self.FORMAT,
            "version": FORMAT_VERSION,
            "river": version("river"),
            "prior": self.prior.as_json(),
            "state": self._freeze(),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> Self:
        """Thaw; it predicts and learns on with the same bits.

        Raises
        ------
        SnapshotError
            When it is not one of ours, of another version, or damaged.
        """
        found = (snapshot.get("format"), snapshot.get("version"))
        if found != (cls.FORMAT, FORMAT_VERSION):
            raise SnapshotError(
                f"snapshot is {found[0]!r} version {found[1]!r}, this code reads {cls.FORMAT!r} version "
                f"{FORMAT_VERSION}: replay the corrections instead"
            )
        try:
            learner = cls.fresh(snapshot["prior"])
            learner._thaw(snapshot["state"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"snapshot is damaged ({error!r}): replay the corrections instead") from error
        return learner


class YesNoLearner(_AnswerLearner):
    """Whether something holds for a person at a moment: leave me alone, or a study's own question.

    Examples
    --------
    >>> learner = YesNoLearner.fresh()
    >>> learner.predict({"at": 0.0, "now:tired": 1.0})
    0.5
    >>> for day in range(30):
    ...     learner.learn({"at": day / 4, "now:tired": 1.0}, 1.0, weight=1.0)
    >>> learner.predict({"at": 8.0, "now:tired": 1.0}) > 0.8
    True
    """

    FORMAT, KIND = "affect-tracker/yes-no-learner", "yes_no"

    @classmethod
    def _over(cls, prior: Prior) -> Self:
        return cls(prior, ThreeAnswers(prior))

    def __init__(self, prior: Prior, estimator: ThreeAnswers) -> None:
        super().__init__(prior, estimator)
        self._estimator: ThreeAnswers = estimator
        self._sureness = PersonalSureness() if _reads(prior) else None

    def predict(self, features: Mapping[str, float]) -> float:
        """The probability of yes at `features` (`tracker.learning.histories.History.features`).

        Where people say "either" too: a number whose side of 0.5 is the decision, and whose distance from the other
        end is the chance that the plain opposite is meant. So ``max(p, 1 - p)`` always is the chance that deciding
        contradicts nobody, which is what a threshold is set on; `chances` gives all three answers, as the regressions
        see them. Where there are readings, how sure it may be is learned from how often it was right
        (`PersonalSureness`). Without, its sureness *is* the person's record, and to count that twice broke the promise.
        """
        said = self._said(features)
        return min(max(self._sureness.of(said) if self._sureness else said, _SURE), 1.0 - _SURE)

    def _said(self, features: Mapping[str, float]) -> float:
        return self._side(self._pipeline.transform_one(dict(features)))

    def _side(self, scaled: dict[Hashable, Any]) -> float:
        answer = self._estimator.predict_proba_one(scaled)
        yes, no = answer[YES], answer[NO]
        return max(0.5, 1.0 - no) if yes >= no else min(0.5 - _SURE, yes)

    def chances(self, features: Mapping[str, float]) -> tuple[float, float, float]:
        """How likely a plain yes, an "either is fine" and a plain no are at `features`; they sum to 1."""
        answer = self._pipeline.predict_proba_one(dict(features))
        return float(answer[YES]), float(answer[EITHER]), float(answer[NO])

    def learn(self, features: Mapping[str, float], share: float, weight: float) -> None:
        """Take in an answer: 1 yes, 0 no, 0.5 either.

        Raises
        ------
        ValueError
            When the share is outside [0, 1], the weight is, or a feature is not finite.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"an answer's share {share} is not in [0, 1]")
        # Scaled once: the pipeline would do it again for each of the two.
        scaled = self._pipeline.transform_one(_checked(features, weight))
        if weight and self._sureness:
            self._sureness.learn(self._side(scaled), share, weight)
        self._estimator.learn_one(scaled, share, weight)

    def _freeze(self) -> dict[str, Any]:
        record = None if self._sureness is None else self._sureness.freeze()
        return {**super()._freeze(), "sureness": record}

    def _thaw(self, state: Mapping[str, Any]) -> None:
        super()._thaw(state)
        record = state["sureness"]
        if (record is None) is not (self._sureness is None):
            raise ValueError("a record of how often it was right that does not fit its prior")
        if self._sureness is not None:
            self._sureness.thaw(record)


class NumberLearner(_AnswerLearner):
    """A number from -1 to 1 for a person at a moment: valence, arousal, or a study's own scale.

    Examples
    --------
    >>> learner = NumberLearner.fresh()
    >>> learner.learn({"at": 0.0, "now:smile": 1.0}, 0.5, weight=1.0)
    >>> mean, sd = learner.predict({"at": 0.1, "now:smile": 1.0})
    >>> 0 < mean < 0.5, 0.3 < sd < 0.6
    (True, True)
    """

    FORMAT, KIND = "affect-tracker/number-learner", "number"

    @classmethod
    def _over(cls, prior: Prior) -> Self:
        return cls(prior, PersonalLinear(prior))

    def __init__(self, prior: Prior, estimator: PersonalLinear) -> None:
        super().__init__(prior, estimator)
        self._estimator: PersonalLinear = estimator

    def predict(self, features: Mapping[str, float]) -> tuple[float, float]:
        """The expected number, within [-1, 1], and the standard deviation of an answer around it."""
        mean, spread = self._estimator.answer_one(self._pipeline.transform_one(dict(features)))
        return min(max(mean, -1.0), 1.0), spread

    def learn(self, features: Mapping[str, float], value: float, weight: float) -> None:
        """Take in a number.

        Raises
        ------
        ValueError
            When the value is outside [-1, 1], the weight outside [0, 1], or a feature is not finite.
        """
        if not -1.0 <= value <= 1.0:
            raise ValueError(f"a number {value} is not in [-1, 1]")
        self._pipeline.learn_one(_checked(features, weight), value, w=weight)


def _reads(prior: Prior) -> bool:
    """Whether a prior knows readings of the moment, a number or a category, beside clock and history.

    Nobody's prior counts as one that does: what will be read is not known yet.
    """
    return not prior.names or any(name.startswith(("now:", "is:")) for name in prior.names)


def _checked(features: Mapping[str, float], weight: float) -> dict[Any, Any]:
    if not 0.0 <= weight <= MAX_WEIGHT:
        raise ValueError(f"weight {weight} is not in [0, {MAX_WEIGHT}]: see tracker.learning.weights")
    if not all(map(math.isfinite, features.values())):
        name, value = next((n, v) for n, v in features.items() if not math.isfinite(v))
        raise ValueError(f"feature {name} is {value}: leave out what is missing")
    return dict(features)
