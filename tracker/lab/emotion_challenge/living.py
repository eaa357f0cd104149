"""Thirty days of some SIMULATED people: correct, learn, and see after some days how good the estimates are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.lab.emotion_challenge.estimating import estimates, situations
from tracker.lab.emotion_challenge.faces import Faces, Floats, Indices
from tracker.lab.emotion_challenge.people import N, Stream, live, meanings
from tracker.lab.emotion_challenge.scoring import HeldOut, drawn
from tracker.learning.features import Moment, Reading, features
from tracker.learning.learner import EmotionLearner
from tracker.learning.pipeline import Settings, bare

CURVE = (1, 2, 3, 5, 7, 10, 14, 19, 24, 27, 30)
"""Days at whose end the held-out faces are read."""

STEADY = ("network", "other_people", "oracle", "felt_oracle")
"""Estimates that do not learn: the network alone; the network with what a reading means in the average person; with
what it means in this person (the oracle: no estimate from the same readings is better); and with what the face
really shows known too, which no correcting could teach."""

METHODS = ("network", "majority", "last_value", "bare_river", "other_people", "personal", "oracle")
"""Whose predictions are scored moment by moment, before each answer is known."""

_LABELS = tuple(Distribution.of({emotion: 1.0}) for emotion in EMOTIONS)


@dataclass(frozen=True)
class World:
    """What all people share: the faces, split in two, and how long they stay.

    Attributes
    ----------
    seen, held_out
        Indices of the faces that people are seen with, and of those that estimates are judged on.
    days, per_day
        Days, and corrections a day.
    """

    faces: Faces
    seen: Indices
    held_out: Indices
    days: int
    per_day: int

    @classmethod
    def of(cls, faces: Faces, days: int, per_day: int) -> World:
        """Split the faces at random, half and half, always the same way."""
        mixed = np.random.default_rng(0).permutation(len(faces))
        half = len(faces) // 2
        return cls(faces, mixed[:half], mixed[half:], days, per_day)

    @property
    def curve(self) -> tuple[int, ...]:
        """Days at whose end the held-out faces are read; the last is the last day."""
        return (*(day for day in CURVE if day < self.days), self.days)

    @property
    def window(self) -> slice:
        """Moments of the last seven days."""
        return slice(max(self.days - 7, 0) * self.per_day, self.days * self.per_day)


@dataclass(frozen=True)
class Lived:
    """What became of P people: scores (three, `SCORES`) against two truths (`TRUTHS`).

    Attributes
    ----------
    steady
        (P, 4, 2, 3) expected on held-out faces, by `STEADY`.
    personal
        (P, D, 2, 3) the same of the learner, at the end of the days of `World.curve`.
    prequential
        (P, 7, 2, 3) mean over the moments of the last seven days, by `METHODS`; NaN where not tried.
    """

    strength: float
    seed: int
    steady: Floats
    personal: Floats
    prequential: Floats


def simulate(
    world: World, strength: float, seed: int, people: int, settings: Settings, *, uneven: bool, river: bool
) -> Lived:
    """Live some people's days; everything follows from the arguments.

    Parameters
    ----------
    world
        What they share.
    strength, uneven
        See `meanings`.
    seed
        Where chance starts from.
    people
        How many.
    settings
        Of the learner.
    river
        Whether river's own softmax regression is tried too.
    """
    random = np.random.default_rng([seed, round(strength * 1000)])
    meaning = meanings(people, strength, random, uneven=uneven)
    others = meanings(500, strength, random, uneven=uneven).mean(axis=0)
    confusion = world.faces.confusion()
    stream = live(meaning, confusion, world.faces.shown, world.seen, world.days * world.per_day, random)
    hours = random.uniform(8.0, 22.0, len(world.held_out))
    days = random.integers(0, 7, len(world.held_out))
    log_p = world.faces.log_p[world.held_out]
    judge = HeldOut.of(log_p, world.faces.shown[world.held_out])
    where = situations([Moment(float(h), int(d)) for h, d in zip(hours, days, strict=True)])
    truths = np.stack([meaning, meaning @ confusion], axis=1)
    steady = np.stack([_steady(judge, m, others, confusion, t) for m, t in zip(meaning, truths, strict=True)])
    curves, own = [], []
    for person in range(people):
        at_days, predicted = _live_one(world, stream, person, settings, judge, where, truths[person])
        curves.append(at_days)
        own.append(predicted)
    prequential = _prequential(world, stream, meaning, others, confusion, np.stack(own), river=river)
    return Lived(strength, seed, steady, np.stack(curves), prequential)


def _steady(judge: HeldOut, meaning: Floats, others: Floats, confusion: Floats, truths: Floats) -> Floats:
    p = np.exp(judge.log_p)
    shown = judge.member.T
    scores = []
    for k, named in enumerate((np.eye(N), confusion)):
        tables = truths[k : k + 1]
        for estimate in (p, p @ others @ named, p @ meaning @ named, shown @ meaning @ named):
            scores.append(judge.expected(estimate, tables)[0])
    return np.stack(scores).reshape(2, len(STEADY), -1).swapaxes(0, 1)


def _live_one(
    world: World,
    stream: Stream,
    person: int,
    settings: Settings,
    judge: HeldOut,
    where: Floats,
    truths: Floats,
) -> tuple[Floats, Floats]:
    learner = EmotionLearner.fresh(settings)
    curve, predicted = [], []
    for moment, x in enumerate(_seen(world, stream, person)):
        if moment >= world.window.start:
            predicted.append(learner.predict(x).probabilities)
        learner.learn(x, _LABELS[stream.said[person, moment]], 1.0)
        day, rest = divmod(moment + 1, world.per_day)
        if rest == 0 and day in world.curve:
            curve.append(judge.expected(estimates(learner, judge.log_p, where), truths))
    return np.stack(curve), np.array(predicted)


def _seen(world: World, stream: Stream, person: int) -> list[dict[str, float]]:
    return [
        features(
            Reading(tuple(world.faces.log_p[face].tolist())),
            Moment(float(hour), (i // world.per_day) % 7),
        )
        for i, (face, hour) in enumerate(zip(stream.face[person], stream.hour[person], strict=True))
    ]


def _prequential(
    world: World,
    stream: Stream,
    meaning: Floats,
    others: Floats,
    confusion: Floats,
    own: Floats,
    *,
    river: bool,
) -> Floats:
    p = np.exp(world.faces.log_p[stream.face[:, world.window]])
    said = np.eye(N)[stream.said]
    shares = 1 + np.concatenate([np.zeros_like(said[:, :1]), said.cumsum(axis=1)[:, :-1]], axis=1)
    shares /= shares.sum(axis=2, keepdims=True)
    last = np.concatenate([np.full_like(said[:, :1], 1 / N), said[:, :-1]], axis=1)
    last = (0.6 * last + 0.4 * shares)[:, world.window]
    scores = np.full((len(own), len(METHODS), 2, 3), np.nan)
    for k, (truth, named) in enumerate(((stream.felt, np.eye(N)), (stream.said, confusion))):
        by_method: dict[str, Floats] = {
            "network": p,
            "majority": shares[:, world.window],
            "last_value": last,
            "other_people": p @ others @ named,
            "personal": own,
            "oracle": p @ meaning @ named,
        }
        if river:
            by_method["bare_river"] = _bare(world, stream)
        for name, estimate in by_method.items():
            scores[:, METHODS.index(name), k] = drawn(estimate, truth[:, world.window]).mean(axis=1)
    return scores


def _bare(world: World, stream: Stream) -> Floats:
    answers = []
    for person in range(len(stream.face)):
        pipeline = bare()
        for moment, x in enumerate(_seen(world, stream, person)):
            if moment >= world.window.start:
                found = pipeline.predict_proba_one(dict(x))
                answers.append([found.get(e.value, 0.0) if found else 1 / N for e in EMOTIONS])
            pipeline.learn_one(dict(x), EMOTIONS[stream.said[person, moment]].value)
    return np.array(answers).reshape(len(stream.face), -1, N)


def floored(faces: Faces) -> Faces:
    """Take the faces' readings as a learner gets them: floored and normalised, as `Reading` does."""
    rows: Sequence[tuple[float, ...]] = [
        Reading.from_log_probabilities(row.tolist()).log_probabilities for row in faces.log_p
    ]
    return Faces(np.array(rows), faces.shown, faces.votes, faces.network)
