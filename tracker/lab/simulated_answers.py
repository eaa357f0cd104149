"""What a SIMULATED person is asked and says: prompts, contexts, corrections, wishes to be left alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.lab.simulated_days import Segment
from tracker.lab.simulated_person import Array, Person

PROMPTS_A_DAY = 6
LATE_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SimulatedContext:
    """What the person said surrounded them at an instant (UTC)."""

    at: datetime
    place: str
    activity: str
    company: str


@dataclass(frozen=True, slots=True)
class SimulatedPrompt:
    """A question put to the person: when it was due, shown, opened and done (UTC; None: never)."""

    scheduled: datetime
    notified: datetime | None
    started: datetime | None
    completed: datetime | None

    @property
    def status(self) -> str:
        """``answered``, ``late`` (opened over a quarter of an hour after it was due) or ``missed``."""
        if self.started is None or self.completed is None:
            return "missed"
        return "late" if self.started - self.scheduled > LATE_AFTER else "answered"


@dataclass(frozen=True, slots=True)
class SimulatedCorrection:
    """What the person said about a moment.

    Parameters
    ----------
    at
        The moment it speaks of.
    recorded_at
        When it was said.
    target
        ``emotion`` or ``leave_me_alone``.
    distribution
        For ``emotion``: one emotion, or two for a mixed state.
    answer
        For ``leave_me_alone``: ``alone``, ``either`` or ``company``.
    valence, arousal
        For ``emotion``, in [-1, 1]; None where they only pressed a key.
    intensity
        For ``emotion``, 0 to 1; None where not asked.
    accepted
        True where they merely accepted what was shown.
    """

    at: datetime
    recorded_at: datetime
    target: str
    distribution: Distribution | None = None
    answer: str | None = None
    valence: float | None = None
    arousal: float | None = None
    intensity: float | None = None
    accepted: bool = False


def answer_prompts(
    rng: np.random.Generator,
    person: Person,
    segments: Sequence[Segment],
    ticks: Sequence[datetime],
    felt: Array,
    sociable: Array,
) -> tuple[list[SimulatedContext], list[SimulatedPrompt], list[SimulatedCorrection]]:
    """Put prompts to the person all through their waking days, and collect what comes back."""
    contexts = [
        SimulatedContext(
            s.start + timedelta(minutes=float(rng.uniform(1, 4))), s.place, s.activity, s.company
        )
        for s in segments
        if s.activity != "sleeping" and rng.random() < 0.5 and s.end - s.start > timedelta(minutes=10)
    ]
    prompts: list[SimulatedPrompt] = []
    said: list[SimulatedCorrection] = []
    starts = [s.start for s in segments]
    for scheduled in _schedule(rng, segments):
        busy = segments[bisect_right(starts, scheduled) - 1].activity in ("working", "commuting", "sport")
        prompt = _react(rng, scheduled, answers=0.66 if busy else 0.82)
        prompts.append(prompt)
        if prompt.started is None or prompt.completed is None or prompt.completed >= ticks[-1]:
            continue
        tick = bisect_right(ticks, prompt.started) - 1
        here = segments[bisect_right(starts, prompt.started) - 1]
        contexts.append(SimulatedContext(prompt.started, here.place, here.activity, here.company))
        said.append(_self_report(rng, felt[tick], prompt.started, prompt.completed))
        wish = _wish(rng, person, felt[tick], here, float(sociable[tick]))
        said.append(
            SimulatedCorrection(prompt.started, prompt.completed, target="leave_me_alone", answer=wish)
        )
    return sorted(contexts, key=lambda c: c.at), prompts, said


def review_estimates(
    rng: np.random.Generator, estimates: Sequence[tuple[datetime, Distribution | None]], felt: Array
) -> list[SimulatedCorrection]:
    """Let the person look back on about one or two estimates a day: accept them, or correct them."""
    chance = 0.008  # of some 180 estimates a day
    reviews: list[SimulatedCorrection] = []
    for (at, estimate), feeling in zip(estimates, felt, strict=True):
        if estimate is None or rng.random() > chance:
            continue
        own = _say(rng, feeling)
        agrees = own.top is estimate.top
        reviews.append(
            SimulatedCorrection(
                at=at,
                recorded_at=at + timedelta(seconds=float(rng.uniform(20, 1800))),
                target="emotion",
                distribution=Distribution.of({estimate.top: 1.0}) if agrees else own,
                accepted=agrees,
            )
        )
    return reviews


def _schedule(rng: np.random.Generator, segments: Sequence[Segment]) -> list[datetime]:
    """Draw one random instant in each sixth of every stretch awake."""
    due: list[datetime] = []
    for asleep, group in groupby(segments, key=lambda s: s.activity == "sleeping"):
        stretch = list(group)
        begin = stretch[0].start + timedelta(minutes=45)
        step = (stretch[-1].end - timedelta(minutes=60) - begin) / PROMPTS_A_DAY
        if not asleep and step > timedelta(minutes=20):
            due += [begin + (i + float(rng.uniform(0.05, 0.95))) * step for i in range(PROMPTS_A_DAY)]
    return [at.replace(microsecond=0) for at in due]


def _react(rng: np.random.Generator, scheduled: datetime, answers: float) -> SimulatedPrompt:
    if rng.random() < 0.03:
        return SimulatedPrompt(scheduled, None, None, None)
    notified = scheduled + timedelta(seconds=int(rng.integers(1, 6)))
    if rng.random() > answers:
        return SimulatedPrompt(scheduled, notified, None, None)
    lag = rng.uniform(15, 55) if rng.random() < 0.12 else min(rng.exponential(3.0), 14.0)
    started = notified + timedelta(seconds=int(60 * lag))
    if rng.random() < 0.03:
        return SimulatedPrompt(scheduled, notified, started, None)
    return SimulatedPrompt(
        scheduled, notified, started, started + timedelta(seconds=int(rng.integers(20, 90)))
    )


def _say(rng: np.random.Generator, feeling: Array) -> Distribution:
    """Name what is felt: mostly the strongest, sometimes another, sometimes two at once."""
    sharp = feeling**2 / np.sum(feeling**2)
    first, second = rng.choice(len(EMOTIONS), size=2, replace=False, p=sharp + 1e-9)
    mixed = 0.5 < feeling[second] / feeling[first] <= 1.0 and rng.random() < 0.5
    return Distribution.of(
        {EMOTIONS[first]: 0.65, EMOTIONS[second]: 0.35} if mixed else {EMOTIONS[first]: 1.0}
    )


def _self_report(
    rng: np.random.Generator, feeling: Array, at: datetime, recorded_at: datetime
) -> SimulatedCorrection:
    own = _say(rng, feeling)
    valence, arousal = derived_valence_arousal(Distribution.from_sequence(list(feeling)))
    return SimulatedCorrection(
        at=at,
        recorded_at=recorded_at,
        target="emotion",
        distribution=own,
        valence=round(float(np.clip(valence + rng.normal(0, 0.15), -1, 1)), 2),
        arousal=round(float(np.clip(arousal + rng.normal(0, 0.15), -1, 1)), 2),
        intensity=round(float(np.clip(feeling.max() + rng.normal(0, 0.1), 0, 1)), 2),
    )


def _wish(rng: np.random.Generator, person: Person, feeling: Array, here: Segment, sociable: float) -> str:
    bad = float(feeling[3:].sum())
    pull = person.solitude + 4.0 * (bad - 0.3) + (0.8 if here.activity == "working" else 0.0) - sociable
    pull += rng.normal(0, 0.4)
    return "alone" if pull > 0.4 else "company" if pull < -0.4 else "either"
