"""Kinds of targets: which learner answers for a target, and what it takes for an answer.

A target's kind follows from its name alone, so that a stored row explains itself and a replay needs no other file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Protocol

from tracker.domain.affect import Distribution
from tracker.learning.answer_learners import NumberLearner, YesNoLearner
from tracker.learning.learner import EmotionLearner, SnapshotError
from tracker.learning.pooled_emotion import pooled_emotion
from tracker.learning.prior import PriorError
from tracker.learning.prior_fitting import Row, fit_prior
from tracker.learning.replay import LearningEvent
from tracker.learning.situations import Answer

EMOTION, VALENCE, AROUSAL, LEAVE_ME_ALONE = "emotion", "valence", "arousal", "leave_me_alone"

LONGEST = 32
"""Characters of a target's name."""

AGREED = 0.1
"""How near a number must be to the one shown to count as agreeing with it."""


class Kind(StrEnum):
    """What is asked of a learner."""

    EMOTION = "emotion"
    YES_NO = "yes_no"
    NUMBER = "number"


_BUILT_IN = {
    EMOTION: Kind.EMOTION,
    VALENCE: Kind.NUMBER,
    AROUSAL: Kind.NUMBER,
    LEAVE_ME_ALONE: Kind.YES_NO,
}

TARGETS: tuple[str, ...] = tuple(_BUILT_IN)
"""The targets that every study has."""


class TargetError(ValueError):
    """A target that is none, or an answer that is none to it."""


class Learner(Protocol):
    """What every kind of learner can do; it learns labels of its own kind."""

    @property
    def learned(self) -> int:
        """How many corrections were learned since the start."""

    def predict(self, features: Mapping[str, float], /) -> Any:
        """A distribution, a yes or no (`YesNoLearner.predict`), or a mean with its standard deviation."""

    def learn(self, features: Mapping[str, float], label: Any, weight: float, /) -> None:
        """Take in one correction."""

    def snapshot(self) -> dict[str, Any]:
        """Freeze as plain JSON."""


def kind_of(target: str) -> Kind:
    """The kind of a target: one that every study has, or a study's own, which begins with its kind.

    Examples
    --------
    >>> kind_of("leave_me_alone").value, kind_of("number:stress").value, kind_of("yes_no:tired").value
    ('yes_no', 'number', 'yes_no')

    Raises
    ------
    TargetError
        When it is none of these.
    """
    if target in _BUILT_IN:
        return _BUILT_IN[target]
    kind, _, name = target.partition(":")
    if name.strip() and len(target) <= LONGEST and kind in (Kind.YES_NO, Kind.NUMBER):
        return Kind(kind)
    raise TargetError(
        f"{target!r} is no target; choose one of {', '.join(TARGETS)}, or a study's own of at most {LONGEST} "
        "characters that says its kind: yes_no:NAME or number:NAME"
    )


def label_of(target: str, distribution: Distribution | None, value: float | None) -> Distribution | float:
    """What the learner of a target takes for an answer, as corrections hold it.

    Yes is 1, no is 0 and "either is fine" is 0.5; a number lies in [-1, 1].

    Examples
    --------
    >>> label_of("leave_me_alone", None, 0.5)
    0.5

    Raises
    ------
    TargetError
        When the target is none, or the answer is none to it.
    """
    kind = kind_of(target)
    if kind is Kind.EMOTION:
        if distribution is None:
            raise TargetError("a word about the emotion is a distribution over emotions; none was given")
        return distribution
    low = 0.0 if kind is Kind.YES_NO else -1.0
    if value is None or not low <= value <= 1.0:
        raise TargetError(f"an answer to {target} is a number from {low:g} to 1, not {value}")
    return float(value)


def answer_of(target: str, value: float, weight: float) -> Answer:
    """What a history takes for an answer.

    Examples
    --------
    >>> answer_of("valence", -0.5, 1.0)
    Answer(share=0.25, graded=-0.5, weight=1.0)
    """
    if kind_of(target) is Kind.NUMBER:
        return Answer((value + 1) / 2, value, weight)
    return Answer(value, None, weight)


def agrees(prediction: Any, label: Distribution | float) -> bool:
    """Whether somebody who saw a prediction said the same.

    Examples
    --------
    >>> agrees(0.8, 1.0), agrees(0.8, 0.5), agrees((0.2, 0.4), 0.25)
    (True, False, True)
    """
    if isinstance(label, Distribution):
        return bool(label.top is prediction.top)
    if isinstance(prediction, tuple):
        return bool(abs(prediction[0] - label) <= AGREED)
    return label != 0.5 and bool((prediction > 0.5) == (label > 0.5))


def fresh(kind: Kind, prior: Mapping[str, Any] | None) -> Learner:
    """An untrained learner, from a prior where there is one.

    Raises
    ------
    SnapshotError
        When the prior cannot be read.
    """
    if kind is Kind.EMOTION:
        return EmotionLearner.fresh() if prior is None else EmotionLearner.from_prior(prior)
    try:
        learner: Learner = YesNoLearner.fresh(prior) if kind is Kind.YES_NO else NumberLearner.fresh(prior)
    except PriorError as error:
        raise SnapshotError(str(error)) from error
    return learner


def restore(kind: Kind, snapshot: Mapping[str, Any]) -> Learner:
    """Thaw a snapshot.

    Raises
    ------
    SnapshotError
        When it cannot be read.
    """
    if kind is Kind.EMOTION:
        return EmotionLearner.restore(snapshot)
    learner: Learner = (
        YesNoLearner.restore(snapshot) if kind is Kind.YES_NO else NumberLearner.restore(snapshot)
    )
    return learner


def relearned(learner: Learner, events: Iterable[LearningEvent]) -> Learner:
    """The learner after all events, in order; the same bits as when they were learned one by one.

    Raises
    ------
    SnapshotError
        When an event holds what no learner could have learned.
    """
    for event in events:
        try:
            learner.learn(event.features, event.label, event.weight)
        except (AttributeError, TypeError, ValueError) as error:
            raise SnapshotError(
                f"an event cannot be learned ({error}): the log of corrections is damaged"
            ) from error
    return learner


def pooled(kind: Kind, people: Mapping[str, Sequence[LearningEvent]]) -> dict[str, Any]:
    """Fit what learners of a kind start from, on the events of several people: a pure function of them.

    Who they are is no part of it: the manifest is kept beside it.
    """
    if kind is Kind.EMOTION:
        return pooled_emotion(people)
    rows = [Row(who, e.features, e.label, e.weight) for who, events in people.items() for e in events]
    return replace(fit_prior(rows, kind.value), contributors=()).as_json()
