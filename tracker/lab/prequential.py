"""How well an emotion learner does on SIMULATED people, judged as it happened: predict, then learn.

``python -m tracker.lab.prequential tune`` compares settings on some people,
``python -m tracker.lab.prequential report`` measures the chosen ones on others.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.lab.simulation import Life, simulate
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.learner import EmotionLearner
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
class Score:
    """One person's figures over a block of days."""

    moments: int
    accuracy: float
    log_loss: float
    hits: tuple[bool, ...]
    confidence: tuple[float, ...]
    said: tuple[int, ...]
    answered: tuple[int, ...]


def judge(predictor: Predictor, moments: Sequence[Corrected], first: int = 1, last: int = 30) -> Score:
    """Predict, score, then learn each moment; score days `first` to `last` only.

    Accuracy asks whether the likeliest emotion is the one said first; log-loss is the cross-entropy
    to what was said, in nats, with predictions floored at 1e-4.
    """
    hits, losses, confidence, said, answered = [], [], [], [], []
    for moment in moments:
        if first <= moment.day <= last:
            p = predictor.predict(moment)
            hits.append(p.top is moment.label.top)
            losses.append(
                -sum(
                    y * math.log(max(q, 1e-4))
                    for y, q in zip(moment.label.probabilities, p.probabilities, strict=True)
                )
            )
            confidence.append(max(p.probabilities))
            said.append(EMOTIONS.index(moment.label.top))
            answered.append(EMOTIONS.index(p.top))
        predictor.learn(moment)
    return Score(
        moments=len(hits),
        accuracy=float(np.mean(hits)) if hits else math.nan,
        log_loss=float(np.mean(losses)) if losses else math.nan,
        hits=tuple(hits),
        confidence=tuple(confidence),
        said=tuple(said),
        answered=tuple(answered),
    )


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


class Oracle:
    """What was really felt: the ceiling that chance in people's answers leaves."""

    def predict(self, moment: Corrected) -> Distribution:
        """Tell the truth."""
        return moment.felt

    def learn(self, moment: Corrected) -> None:
        """Know already."""


def people(seeds: Sequence[int], bias: float = 0.6, days: int = 30) -> list[list[Corrected]]:
    """Live the lives of these seeds and join their corrections."""
    zone, start = ZoneInfo("Europe/Berlin"), date(2025, 3, 10)
    return [corrected_moments(simulate(seed, zone, start, days, bias=bias)) for seed in seeds]


def over_people(values: Sequence[float], draws: int = 2000) -> tuple[float, float, float]:
    """Mean over people with its 95 % percentile-bootstrap interval, people resampled."""
    v = np.array([x for x in values if not math.isnan(x)])
    picks = np.random.default_rng(0).integers(0, len(v), (draws, len(v)))
    low, high = np.percentile(v[picks].mean(axis=1), [2.5, 97.5])
    return float(v.mean()), float(low), float(high)


Maker = Callable[[], Predictor]
