"""What moves a learner's estimates: how much they would differ if it did not know one thing about the moments.

Each pull is measured on the learner as it stands: its estimate of the moments that it was told about, with and
without the features that say one thing. It says what the learner does, not what is true of the person.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.learning.kinds import Kind, Learner
from tracker.learning.replay import LearningEvent

LEAST = 5
"""Moments that a pull is measured on at least."""

MOST = 100
"""Moments that are asked about at most, the newest: a page should not take seconds."""

WORTH_TELLING = 0.03
"""The least pull that is told: three points of a hundred."""

_Z = 1.959964
_WORDS = ("place", "activity", "company")
_HOURS = {"morning": (5, 12), "afternoon": (12, 17), "evening": (17, 22), "night": (22, 29)}
_FAMILIES = {
    "lately": ("told:",),
    "face": ("now:", "off:", "lack:"),
    "clock": ("clock:", "word:time", "word:slot", "word:weekday"),
    "words": ("is:", "same:", "word:"),
}


@dataclass(frozen=True, slots=True)
class Pull:
    """What knowing one thing does to a learner's estimates.

    Attributes
    ----------
    what, value
        The thing: ``place``, ``activity``, ``company``, ``time`` or ``days`` with its value; for targets other than
        the emotion also a family of features (``lately``, ``face``, ``clock``) with no value.
    emotion
        Whose probability it moves most; None for other targets.
    by, low, high
        By how much on average, and its interval at 95 % over the moments; of a family, the mean size without a sign.
    n
        On how many moments.
    """

    what: str
    value: str
    emotion: Emotion | None
    by: float
    low: float
    high: float
    n: int


def pulls(kind: Kind, learner: Learner, events: Sequence[LearningEvent]) -> list[Pull]:
    """What moves a learner most, strongest first; nothing where it was told too little.

    Parameters
    ----------
    kind, learner
        The learner as it stands.
    events
        What it holds (`tracker.personal.log.events_of`).
    """
    measure = _of_emotion if kind is Kind.EMOTION else _of_answers
    found = [pull for pull in measure(learner, events[-MOST:]) if abs(pull.by) >= WORTH_TELLING]
    return sorted(found, key=lambda pull: -abs(pull.by))


def _of_emotion(learner: Learner, events: Sequence[LearningEvent]) -> Iterator[Pull]:
    for (what, value), (holds, without) in _things(events).items():
        moved = [
            _difference(learner.predict(e.features), learner.predict(without(e.features)))
            for e in events
            if holds(e.features)
        ]
        if len(moved) >= LEAST:
            means = [math.fsum(m[k] for m in moved) / len(moved) for k in range(len(EMOTIONS))]
            k = max(range(len(EMOTIONS)), key=lambda i: abs(means[i]))
            yield _pull(what, value, EMOTIONS[k], [m[k] for m in moved])


def _of_answers(learner: Learner, events: Sequence[LearningEvent]) -> Iterator[Pull]:
    for family, prefixes in _FAMILIES.items():
        moved = [
            abs(_number(learner.predict(e.features)) - _number(learner.predict(_drop(e.features, prefixes))))
            for e in events
            if any(name.startswith(prefixes) for name in e.features)
        ]
        if len(moved) >= LEAST:
            yield _pull(family, "", None, moved)
    for word, value in sorted({pair for e in events for pair in _said(e.features, "is:")}):
        prefixes = (f"is:{word}={value}", f"same:{word}", f"word:{word}")
        signed = [
            _number(learner.predict(e.features)) - _number(learner.predict(_drop(e.features, prefixes)))
            for e in events
            if f"is:{word}={value}" in e.features
        ]
        if len(signed) >= LEAST:
            yield _pull(word, value, None, signed)


_Features = Mapping[str, float]
_Thing = tuple[Callable[[_Features], bool], Callable[[_Features], _Features]]


def _things(events: Sequence[LearningEvent]) -> dict[tuple[str, str], _Thing]:
    """What an emotion learner may know of a moment, with how to tell that it does, and how to take it away."""
    found: dict[tuple[str, str], _Thing] = {}
    for word, value in sorted({pair for e in events for pair in _said(e.features, "")}):
        found[word, value] = _has(f"{word}={value}")
    found["days", "weekend"] = _has("day=weekend")
    found["days", "weekday"] = _has("day=weekday")
    for part, (first, last) in _HOURS.items():
        found["time", part] = _between(first, last)
    return found


def _has(name: str) -> _Thing:
    return lambda x: name in x, lambda x: {k: v for k, v in x.items() if k != name}


def _between(first: int, last: int) -> _Thing:
    def holds(x: _Features) -> bool:
        hour = math.atan2(x.get("hour_sin", 0.0), x.get("hour_cos", 1.0)) * 12 / math.pi % 24
        return "hour_sin" in x and (first <= hour < last or first <= hour + 24 < last)

    return holds, lambda x: {k: v for k, v in x.items() if k not in ("hour_sin", "hour_cos")}


def _said(features: _Features, prefix: str) -> Iterator[tuple[str, str]]:
    for name in features:
        for word in _WORDS:
            if name.startswith(f"{prefix}{word}="):
                yield word, name.removeprefix(f"{prefix}{word}=")


def _drop(features: _Features, prefixes: tuple[str, ...]) -> dict[str, float]:
    return {name: value for name, value in features.items() if not name.startswith(prefixes)}


def _difference(a: Distribution, b: Distribution) -> tuple[float, ...]:
    return tuple(p - q for p, q in zip(a.probabilities, b.probabilities, strict=True))


def _number(said: Any) -> float:
    return float(said[0]) if isinstance(said, tuple) else float(said)


def _pull(what: str, value: str, emotion: Emotion | None, moved: Sequence[float]) -> Pull:
    n = len(moved)
    mean = math.fsum(moved) / n
    half = _Z * math.sqrt(math.fsum((m - mean) ** 2 for m in moved) / max(n - 1, 1) / n)
    return Pull(what, value, emotion, mean, mean - half, mean + half, n)
