"""A month of made-up answers to one target: what learners see and are told, as live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tracker.cli.benchmarks.scene import NOW
from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.learning import features, kinds
from tracker.learning.histories import History
from tracker.learning.kinds import EMOTION, Kind
from tracker.learning.replay import LearningEvent
from tracker.learning.situations import Situation
from tracker.store.seen import Label, Seen

DAYS, A_DAY = 30, 10
_PLACES = ("home", "work", "shop", "outside", "travelling")
_ACTIVITIES = ("working", "eating", "resting", "moving", "talking", "playing")
_COMPANY = ("alone", "family", "friends", "colleagues")
_FACE = ("read", "unrest", "dwell_h", "age_h", "score", "sharpness", "no_face")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: when, what was seen, and what was said."""

    at: datetime
    seen: Seen
    label: Label

    @property
    def event(self) -> LearningEvent:
        """As a learner takes it."""
        return LearningEvent(self.seen.features, self.label, 1.0)


def month(target: str, seed: int, days: int = DAYS) -> list[Said]:
    """Ten answers a day up to `NOW` about a target, the same for the same seed.

    As in live data: a face that was read, where, doing what and with whom, and all that was answered before.
    """
    rng = np.random.default_rng(seed)
    if kinds.kind_of(target) is Kind.EMOTION:
        return [_about_emotion(rng, at) for at in _instants(days)]
    whole, alone, said = History(), History(), []
    for i, at in enumerate(_instants(days)):
        situation, bare = _situation(rng, at, i)
        value = _value(target, rng)
        seen = whole.features(situation)
        # What stands beside it where contexts or the past may be withdrawn: stored, and read only then.
        cut = {
            "context": alone.features(bare),
            "past": History().features(situation),
            "both": History().features(bare),
        }
        first = at - timedelta(minutes=15)
        past = at - timedelta(days=min(i // A_DAY, days)) if i else None
        said.append(Said(at, Seen(seen, _stored(situation), cut, first, past, at, None), value))
        for history, moment in ((whole, situation), (alone, bare)):
            history.add(moment, kinds.answer_of(target, value, 1.0))
    return said


def people(target: str, count: int, first: int = 0) -> dict[str, Sequence[LearningEvent]]:
    """A fortnight of several people, for a prior."""
    return {f"{i:03}": [s.event for s in month(target, first + i, DAYS // 2)] for i in range(count)}


def _instants(days: int) -> list[datetime]:
    start = NOW - timedelta(days=days)
    return [
        start + timedelta(days=i // A_DAY, hours=1.4 * (i % A_DAY) - 14)
        for i in range(A_DAY, days * A_DAY + A_DAY)
    ]


def _mix(rng: np.random.Generator) -> Distribution:
    return Distribution.from_sequence(rng.dirichlet(np.ones(len(EMOTIONS))).tolist())


def _about_emotion(rng: np.random.Generator, at: datetime) -> Said:
    context = features.ContextAt(
        str(rng.choice(_PLACES)),
        str(rng.choice(_ACTIVITIES)),
        str(rng.choice(_COMPANY)),
        float(rng.uniform(0, 7000)),
    )
    moment = features.Moment(at.hour + at.minute / 60, at.weekday(), context)
    seen = features.features(features.Reading.of(_mix(rng)), moment)
    return Said(at, Seen(seen), Distribution.said(EMOTIONS[int(rng.integers(len(EMOTIONS)))]))


def _situation(rng: np.random.Generator, at: datetime, i: int) -> tuple[Situation, Situation]:
    mix = _mix(rng)
    valence, arousal = derived_valence_arousal(mix)
    numbers = {f"p:{e.value}": mix[e] for e in EMOTIONS} | {"face:valence": valence, "face:arousal": arousal}
    numbers |= {f"face:{name}": float(rng.random()) for name in _FACE}
    words = {
        "place": str(rng.choice(_PLACES)),
        "activity": str(rng.choice(_ACTIVITIES)),
        "company": str(rng.choice(_COMPANY)),
    }
    clock = (at, 1 + i // A_DAY, at.hour + at.minute / 60, at.weekday(), None)
    worded = Situation(*clock, numbers={**numbers, "context_age_h": float(rng.uniform(0, 2))}, words=words)
    return worded, Situation(*clock, numbers=numbers)


def _value(target: str, rng: np.random.Generator) -> float:
    if kinds.kind_of(target) is Kind.YES_NO:
        return float(rng.choice([0.0, 0.5, 1.0, 1.0]))
    return float(rng.uniform(-1, 1))


def _stored(situation: Situation) -> Mapping[str, Any]:
    return {
        "day": situation.day,
        "hour": situation.hour,
        "weekday": situation.weekday,
        "numbers": dict(situation.numbers),
        "words": dict(situation.words),
        "context_at": situation.at.isoformat(),
    }


TARGETS = (EMOTION, kinds.LEAVE_ME_ALONE, kinds.VALENCE)
"""One target of each kind."""
