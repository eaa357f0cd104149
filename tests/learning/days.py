"""Strategies for situations, answers, features and streams of events of yes-or-no learners."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from tracker.learning.prior import Prior
from tracker.learning.prior_fitting import Row, fit_prior
from tracker.learning.situations import Answer, Situation

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
NAMES = ("told:fast", "told:last", "now:tired", "is:place=home", "lack:tired")


class Event(NamedTuple):
    """One answer to one moment's features."""

    features: dict[str, float]
    share: float
    weight: float


def situation(hours: float, numbers: dict[str, float], words: dict[str, str]) -> Situation:
    """A moment some hours after the start."""
    at = START + timedelta(hours=hours)
    return Situation(at, (at.date() - START.date()).days + 1, at.hour, at.weekday(), None, numbers, words)


answers = st.none() | st.builds(
    Answer, st.sampled_from([0.0, 0.5, 1.0]), st.none() | st.floats(0, 100), st.floats(0.1, 1)
)
numbers = st.dictionaries(st.sampled_from(["tired", "tense", "calm"]), st.floats(-100, 100), max_size=3)
words = st.dictionaries(st.sampled_from(["place", "company"]), st.sampled_from(["home", "work"]), max_size=2)
steps = st.tuples(st.floats(0, 60), numbers, words, answers)


def moments(
    drawn: list[tuple[float, dict[str, float], dict[str, str], Answer | None]],
) -> list[tuple[Situation, Answer | None]]:
    """In time order."""
    hours, found = 0.0, []
    for gap, own_numbers, own_words, answer in drawn:
        hours += gap
        found.append((situation(hours, own_numbers, own_words), answer))
    return found


pasts = st.lists(steps, max_size=12).map(moments)

features = st.dictionaries(st.sampled_from(NAMES), st.floats(-5, 5), max_size=len(NAMES))
shares = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


@st.composite
def _streams(draw: st.DrawFn) -> list[Event]:
    at, found = 20_000.0, []
    for _ in range(draw(st.integers(0, 12))):
        at += draw(st.floats(0, 2))
        found.append(Event({"at": at, **draw(features)}, draw(shares), draw(st.floats(0, 1))))
    return found


streams = _streams()


def rows(seed: int = 0, people: int = 4, each: int = 30, *, either: float = 0.0) -> list[Row]:
    """Contributors who say yes when tired, and some of whom find either fine now and then."""
    rng = np.random.default_rng(seed)
    found = []
    for who in range(people):
        bias = rng.normal()
        for n in range(each):
            tired = float(rng.normal())
            yes = float(rng.random() < 1 / (1 + np.exp(-(bias + 2 * tired))))
            value = 0.5 if rng.random() < either else yes
            seen = {"at": n / 4, "now:tired": tired, "told:last": float(rng.choice([-0.5, 0.5]))}
            if rng.random() < 0.5:
                seen["is:place=home"] = 1.0
            if rng.random() < 0.3:
                seen["told:fast"] = float(rng.normal())
            found.append(Row(f"c{who}", seen, value, 1.0))
    return found


def keyed(features: Mapping[str, float]) -> dict[Hashable, Any]:
    """Features as river's estimators take them."""
    return dict(features.items())


def some_prior(kind: str = "yes_no", *, either: float = 0.0) -> Prior:
    """A prior over those contributors."""
    return fit_prior(rows(either=either), kind)
