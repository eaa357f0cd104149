"""A SIMULATED person who lives some days: for the demo, for plots, and for choosing a learner's settings.

A pure function of its arguments: the same seed lives the same life. Felt emotion follows the clock, the
situation, the mood of the day and a slow drift; the network sees it through an idiosyncratic face; the
person answers some prompts and corrects some estimates. What comes out are values, never rows of a
database, and whoever shows them marks them SIMULATED.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.domain.affect import Distribution
from tracker.lab.simulated_answers import (
    SimulatedContext,
    SimulatedCorrection,
    SimulatedPrompt,
    answer_prompts,
    review_estimates,
)
from tracker.lab.simulated_days import Segment, plan
from tracker.lab.simulated_person import Array, Person, draw_person

MARK = "SIMULATED"
"""What every page, plot and export that shows a simulated life says."""

TICK = timedelta(minutes=2)
"""Time between two looks of the camera while somebody is there."""

_AWAY_EVERY = 15  # looks are this many ticks apart at night and where no camera is ...
_GONE_EVERY = 4  # ... and this many while the person has left the desk


@dataclass(frozen=True, slots=True)
class SimulatedObservation:
    """One look of the camera.

    Parameters
    ----------
    at
        In UTC.
    reason
        Why there is no estimate (``no_face``, ``blurred``, ``ambiguous``), or None.
    estimate
        The network's distribution, None where there is a reason.
    quality
        How usable the face was, 0 to 1, None where there was no one face.
    """

    at: datetime
    reason: str | None
    estimate: Distribution | None
    quality: float | None


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that a study would have recorded of one simulated person, and what they really felt.

    Each tuple is in order of time; `felt` has one distribution for each observation, and is for
    oracles and plots alone, because no study knows it.
    """

    seed: int
    zone: str
    segments: tuple[Segment, ...]
    observations: tuple[SimulatedObservation, ...]
    felt: tuple[Distribution, ...]
    contexts: tuple[SimulatedContext, ...]
    prompts: tuple[SimulatedPrompt, ...]
    corrections: tuple[SimulatedCorrection, ...]


def simulate(seed: int, zone: ZoneInfo, start: date, days: int = 30, *, bias: float = 0.6) -> Life:
    """Live `days` days from the local midnight of `start` on.

    Parameters
    ----------
    seed
        Who, and everything that happens to them.
    zone
        Where they live: their days follow its clock through changes to summer time.
    start
        The first local day (a datetime counts as its date).
    days
        How long; about 300 observations, 6 prompts and 5 corrections each.
    bias
        How far their face misleads the network: 0 not at all, 1 wholly.

    Examples
    --------
    >>> life = simulate(1, ZoneInfo("Europe/Berlin"), date(2025, 3, 3), days=2)
    >>> life == simulate(1, ZoneInfo("Europe/Berlin"), date(2025, 3, 3), days=2)
    True
    >>> {o.reason for o in life.observations} <= {None, "no_face", "blurred", "ambiguous"}
    True
    """
    if days < 1:
        raise ValueError(f"a life of {days} days is none: give at least 1")
    if not 0.0 <= bias <= 1.0:
        raise ValueError(f"bias {bias} is not in [0, 1]")
    day = start.date() if isinstance(start, datetime) else start
    # One stream of chance for each part, so that changing one part leaves the others' draws alone.
    rngs = [np.random.default_rng([seed, part]) for part in range(6)]
    person = draw_person(rngs[0], bias)
    segments = plan(rngs[1], person, zone, day, days)
    ticks = _ticks(segments)
    where = _segment_of(segments, ticks)
    felt = _feelings(rngs[2], person, zone, segments, ticks, where)
    readings = _readings(rngs[3], person, felt)
    observations, seen = _look(rngs[4], segments, ticks, where, readings)
    sociable = _wander(rngs[5], len(ticks), 1, minutes=240, spread=0.9)[:, 0]
    contexts, prompts, answers = answer_prompts(rngs[5], person, segments, ticks, felt, sociable)
    reviews = review_estimates(rngs[5], [(o.at, o.estimate) for o in observations], felt[seen])
    return Life(
        seed=seed,
        zone=zone.key,
        segments=tuple(segments),
        observations=tuple(observations),
        felt=tuple(Distribution.from_sequence(felt[i]) for i in seen),
        contexts=tuple(contexts),
        prompts=tuple(prompts),
        corrections=tuple(sorted([*answers, *reviews], key=lambda c: (c.recorded_at, c.at, c.target))),
    )


def _ticks(segments: list[Segment]) -> list[datetime]:
    count = int((segments[-1].end - segments[0].start) / TICK)
    return [segments[0].start + i * TICK for i in range(count)]


def _segment_of(segments: list[Segment], ticks: list[datetime]) -> list[int]:
    ends = np.array([s.end.timestamp() for s in segments])
    return [int(i) for i in np.searchsorted(ends, [t.timestamp() for t in ticks], side="right")]


def _wander(rng: np.random.Generator, steps: int, width: int, minutes: float, spread: float) -> Array:
    """Ornstein-Uhlenbeck paths (steps, width): stationary, of this spread, forgetting in `minutes`."""
    keep = float(np.exp(-TICK.total_seconds() / 60 / minutes))
    kicks = rng.normal(0, spread, (steps, width))
    path = np.empty((steps, width))
    path[0] = kicks[0]
    for i in range(1, steps):
        path[i] = keep * path[i - 1] + (1 - keep**2) ** 0.5 * kicks[i]
    return path


def _softmax(logits: Array) -> Array:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    normal: Array = shares / shares.sum(axis=1, keepdims=True)
    return normal


def _feelings(
    rng: np.random.Generator,
    person: Person,
    zone: ZoneInfo,
    segments: list[Segment],
    ticks: list[datetime],
    where: list[int],
) -> Array:
    """What is felt at each tick, (ticks, 8)."""
    local = [t.astimezone(zone) for t in ticks]
    hours = np.array([t.hour + t.minute / 60 for t in local])
    weekend = np.array([t.weekday() >= 5 for t in local], dtype=float)
    swing = np.cos(2 * np.pi * (hours - person.circadian_peak) / 24)
    situation = np.stack([person.situations[s.activity] + person.situations[s.company] for s in segments])
    mood = _wander(rng, len(ticks), 1, minutes=36 * 60, spread=0.7)
    logits = person.base + situation[where] + swing[:, None] * person.circadian
    logits += weekend[:, None] * person.situations["weekend"]
    logits += mood * np.array([0.0, 1.0, 0.0, -1.0, -0.6, -0.3, -0.5, -0.2])
    logits += _wander(rng, len(ticks), 8, minutes=90, spread=0.9)
    # A quarter of an hour of memory: feelings do not jump when a door opens.
    keep = float(np.exp(-TICK.total_seconds() / 60 / 15))
    for i in range(1, len(ticks)):
        logits[i] = keep * logits[i - 1] + (1 - keep) * logits[i]
    return _softmax(1.4 * logits)


def _readings(rng: np.random.Generator, person: Person, felt: Array) -> Array:
    """What the network says at each tick, (ticks, 8): the face's expression, with noise."""
    shown = felt @ person.expression
    noise = _wander(rng, len(felt), 8, minutes=8, spread=0.35) + rng.normal(0, 0.2, felt.shape)
    return _softmax(np.log(shown + 0.01) + noise)


def _look(
    rng: np.random.Generator,
    segments: list[Segment],
    ticks: list[datetime],
    where: list[int],
    readings: Array,
) -> tuple[list[SimulatedObservation], list[int]]:
    observations: list[SimulatedObservation] = []
    seen: list[int] = []
    present = False
    for i, tick in enumerate(ticks):
        segment = segments[where[i]]
        stay, switch = segment.camera, 0.06
        # A two-state chain whose long-run share is `camera`: people come and go in stretches.
        present = rng.random() < (1 - switch * (1 - stay) if present else switch * stay) if stay else False
        if not present and i % (_GONE_EVERY if stay else _AWAY_EVERY):
            continue
        at = tick + timedelta(seconds=int(rng.integers(0, 20)))
        reason = _reason(rng, segment) if present else "no_face"
        estimate = None if reason else Distribution.from_sequence(readings[i])
        quality = (
            None
            if reason in ("no_face", "ambiguous")
            else float(rng.beta(2, 6) if reason else rng.beta(8, 2))
        )
        observations.append(SimulatedObservation(at, reason, estimate, quality))
        seen.append(i)
    return observations, seen


def _reason(rng: np.random.Generator, segment: Segment) -> str | None:
    chance = rng.random()
    if chance < 0.02:
        return "blurred"
    return "ambiguous" if chance < (0.06 if segment.company != "alone" else 0.025) else None
