"""A person's own emotion learner: starts as the network, becomes theirs as they correct it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.learning.pipeline import Settings, build
from tracker.learning.residual_softmax import ResidualSoftmax
from tracker.learning.weights import MAX_WEIGHT

FORMAT = "affect-tracker/emotion-learner"
FORMAT_VERSION = 2

PRIOR_WORTH = 5.0
"""Corrections that other people's weigh in saying what one reading means in a person.

Undiminished, a month of theirs takes a month to unlearn: see ``docs/learning-emotion.md``.
"""


class SnapshotError(ValueError):
    """A snapshot that cannot be read; fall back to replaying the corrections."""


class EmotionLearner:
    """A river pipeline that corrects a network's reading for one person.

    Untrained it answers exactly what the network said (uniform where there was no reading). Every
    correction is one small step; the same steps from the same start give the same bits.

    Examples
    --------
    >>> from tracker.domain.affect import Distribution, Emotion
    >>> from tracker.learning.features import Moment, Reading, features
    >>> sad = Distribution.of({Emotion.SADNESS: 0.6, Emotion.NEUTRAL: 0.4})
    >>> x = features(Reading.of(sad), Moment(hour=9.0, weekday=0))
    >>> learner = EmotionLearner.fresh()
    >>> round(learner.predict(x)[Emotion.SADNESS], 6)
    0.6
    >>> for _ in range(5):
    ...     learner.learn(x, Distribution.of({Emotion.NEUTRAL: 1.0}), weight=1.0)
    >>> learner.predict(x).top.value
    'neutral'
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pipeline = build(settings)
        self._residual: ResidualSoftmax = self._pipeline["residual"]

    @classmethod
    def fresh(cls, settings: Settings | None = None) -> EmotionLearner:
        """Make an untrained learner; `settings` is for experiments, the default for people."""
        return cls(settings or Settings())

    @classmethod
    def from_prior(cls, prior: Mapping[str, Any]) -> EmotionLearner:
        """Start from other people's weights, with one's own count of corrections still at zero.

        What they said of each reading counts as `PRIOR_WORTH` corrections at most.
        """
        learner = cls.restore(prior)
        learner._residual.steps = 0
        if learner._residual.remapping is not None:
            learner._residual.remapping.lighten(PRIOR_WORTH)
        return learner

    @property
    def learned(self) -> int:
        """How many corrections were learned since the start (those that weigh nothing aside)."""
        return self._residual.steps

    def predict(self, features: Mapping[str, float]) -> Distribution:
        """Give the person's own estimate at `features` (see `tracker.learning.features.features`)."""
        answer = self._pipeline.predict_proba_one(_canonical(features))
        return Distribution.from_sequence([answer[emotion.value] for emotion in EMOTIONS])

    def learn(self, features: Mapping[str, float], label: Distribution, weight: float) -> None:
        """Take one step towards what a human said.

        Parameters
        ----------
        features
            As stored when the correction was made.
        label
            What they said; two emotions for a mixed state.
        weight
            How much it counts (`tracker.learning.weights`), from 0 (not at all) to 1.

        Raises
        ------
        ValueError
            When the weight is outside [0, 1] or a feature is not finite.
        """
        if not 0.0 <= weight <= MAX_WEIGHT:
            raise ValueError(f"weight {weight} is not in [0, {MAX_WEIGHT}]: see tracker.learning.weights")
        x = _canonical(features)
        if weight:
            self._pipeline.learn_one(x, label.as_dict(), w=weight)

    def snapshot(self) -> dict[str, Any]:
        """Freeze the learner as plain JSON.

        Settings and count; weights by emotion and feature; what was said, by the emotion that was read; and the
        credit of the weights against the counts.
        """
        weights, remapping = self._residual.weights, self._residual.remapping
        names = sorted(map(str, weights))
        emotions = [e.value for e in EMOTIONS]
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "river": version("river"),
            "settings": asdict(self.settings),
            "learned": self.learned,
            "weights": {e: {name: weights[name][k] for name in names} for k, e in enumerate(emotions)},
            "said": remapping.as_dict(emotions) if remapping else {},
            "credit": self._residual.credit,
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> EmotionLearner:
        """Thaw a snapshot; it predicts and learns on with the same bits.

        Raises
        ------
        SnapshotError
            When it is not one of ours, of another version, or holds something that is no possible number.
        """
        found = (snapshot.get("format"), snapshot.get("version"))
        if found != (FORMAT, FORMAT_VERSION):
            raise SnapshotError(
                f"snapshot is {found[0]!r} version {found[1]!r}, this code reads {FORMAT!r} version "
                f"{FORMAT_VERSION}: replay the corrections instead"
            )
        try:
            learner = cls(Settings(**{k: float(v) for k, v in snapshot["settings"].items()}))
            learner._residual.steps = int(snapshot["learned"])
            said = snapshot["weights"]
            thawed = {
                name: [float(said[e.value][name]) for e in EMOTIONS] for name in said[EMOTIONS[0].value]
            }
            if learner._residual.remapping is not None:
                learner._residual.remapping.restore(snapshot["said"], [e.value for e in EMOTIONS])
            learner._residual.credit = float(snapshot["credit"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"snapshot is damaged ({error!r}): replay the corrections instead") from error
        numbers = (learner._residual.credit, *(w for row in thawed.values() for w in row))
        if learner.learned < 0 or not all(map(math.isfinite, numbers)):
            raise SnapshotError("snapshot holds an impossible number: replay the corrections instead")
        learner._residual.weights.update(thawed)
        return learner


def _canonical(features: Mapping[str, float]) -> dict[str, float]:
    # A database may hand JSON back in another key order, and sums of floats depend on order.
    if not all(map(math.isfinite, features.values())):
        bad = sorted(name for name, value in features.items() if not math.isfinite(value))
        raise ValueError(f"features {bad} are not finite")
    return {name: features[name] for name in sorted(features)}
