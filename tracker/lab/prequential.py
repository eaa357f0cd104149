"""How well a predictor of a person's emotion does, judged as it happened: predict, then learn.

On SIMULATED lives (`tracker.lab.simulation`), so that settings can be chosen before anybody's data exist.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.lab.simulation import Life
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.weights import RaterKind, correction_weight

NEAR = timedelta(minutes=10)
"""A correction goes with the latest estimate no older than this, else with none."""

UNIFORM = Distribution((1 / len(EMOTIONS),) * len(EMOTIONS))


@dataclass(frozen=True, slots=True)
class Corrected:
    """One corrected moment: what a learner may see of it, what was said, and on which day."""

    features: Mapping[str, float]
    network: Distribution
    label: Distribution
    weight: float
    day: int
    felt: Distribution


class Predictor(Protocol):
    """Whatever can be asked before it is told."""

    def predict(self, moment: Corrected) -> Distribution:
        """Answer from the past alone."""

    def learn(self, moment: Corrected) -> None:
        """See what was said."""


def corrected_moments(life: Life) -> list[Corrected]:
    """Join a life's emotion corrections with readings and contexts, in the order they were recorded.

    A context counts from the instant *after* it was recorded: the one given in the same breath as a
    correction would not have been there to predict from.
    """
    zone = ZoneInfo(life.zone)
    seen = [i for i, o in enumerate(life.observations) if o.estimate is not None]
    seen_at = [life.observations[i].at for i in seen]
    all_at = [o.at for o in life.observations]
    context_at = [c.at for c in life.contexts]
    joined: list[Corrected] = []
    for c in life.corrections:
        if c.distribution is None:
            continue
        k = bisect_right(seen_at, c.at) - 1
        estimate = life.observations[seen[k]].estimate if k >= 0 and c.at - seen_at[k] <= NEAR else None
        j = bisect_left(context_at, c.at) - 1
        said = life.contexts[j] if j >= 0 else None
        context = (
            ContextAt(said.place, said.activity, said.company, (c.at - said.at).total_seconds())
            if said
            else ContextAt()
        )
        x = features(Reading.of(estimate) if estimate else None, Moment.at(c.at, zone, context))
        joined.append(
            Corrected(
                features=x,
                network=estimate or UNIFORM,
                label=c.distribution,
                weight=correction_weight(RaterKind.PARTICIPANT, accepted=c.accepted),
                day=(c.recorded_at - life.segments[0].start).days + 1,
                felt=life.felt[max(0, bisect_right(all_at, c.at) - 1)],
            )
        )
    return joined


@dataclass(frozen=True, slots=True)
class Outcome:
    """One prediction after the answer is known.

    `loss` is the cross-entropy to what was said in nats, with predictions floored at 1e-4.
    """

    day: int
    said: Emotion
    predicted: Emotion
    confidence: float
    loss: float

    @property
    def hit(self) -> bool:
        """Whether the likeliest emotion is the one said first."""
        return self.said is self.predicted


def judge(predictor: Predictor, moments: Sequence[Corrected]) -> list[Outcome]:
    """Predict, score, then learn each moment in turn."""
    outcomes: list[Outcome] = []
    for moment in moments:
        p = predictor.predict(moment)
        loss = -sum(
            y * math.log(max(q, 1e-4))
            for y, q in zip(moment.label.probabilities, p.probabilities, strict=True)
        )
        outcomes.append(Outcome(moment.day, moment.label.top, p.top, max(p.probabilities), loss))
        predictor.learn(moment)
    return outcomes


def over_people(values: Sequence[float], draws: int = 2000) -> tuple[float, float, float]:
    """Mean over people with its 95 % percentile-bootstrap interval, people resampled."""
    v = np.array([x for x in values if not math.isnan(x)])
    picks = np.random.default_rng(0).integers(0, len(v), (draws, len(v)))
    low, high = np.percentile(v[picks].mean(axis=1), [2.5, 97.5])
    return float(v.mean()), float(low), float(high)


def ece(outcomes: Sequence[Outcome], bins: int = 10) -> float:
    """Expected calibration error of the top answer in equal-mass bins, pooled (Naeini et al. 2015)."""
    ranked = sorted(outcomes, key=lambda o: o.confidence)
    chunks = [ranked[i * len(ranked) // bins : (i + 1) * len(ranked) // bins] for i in range(bins)]
    return sum(abs(sum(o.hit for o in c) - sum(o.confidence for o in c)) for c in chunks) / len(ranked)


def f1_by_emotion(outcomes: Sequence[Outcome]) -> dict[Emotion, float]:
    """F1 of every emotion that was said at least once."""
    said = {o.said for o in outcomes}
    return {
        e: 2
        * sum(o.hit and o.said is e for o in outcomes)
        / (sum(o.said is e for o in outcomes) + sum(o.predicted is e for o in outcomes))
        for e in EMOTIONS
        if e in said
    }
