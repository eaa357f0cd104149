"""What a learner sees of a moment: what is read now, beside what this person's last 30 days were like.

A history is fed one moment at a time, in order, each with its answer or without one; the features of a moment are made
from the moments *before* it, so that nothing of the future can leak into them. The same class serves the live
learners and the replay of diaries.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from tracker.learning.situations import Answer, Situation

AT = "at"
"""The feature that says when: days since 1970. Learners forget by it and never learn from it."""

WINDOW_DAYS = 30.0
"""How long a level is remembered; the half-life of what a category was answered with."""

FAST_DAYS, SLOW_DAYS = 0.5, 5.0
"""Half-lives of the person's recent answers, in days: about two prompts, and about a working week."""

FRESH_DAYS = 0.25
"""Half-life of the last answer's own say, in days."""

_DAY_S = 86_400.0
_SHRINK = 4.0
"""How many answers of no tendency stand in front of a category's own answers."""


@dataclass(slots=True)
class _Decaying:
    """A mean that forgets, with its weight."""

    half_life: float
    weight: float = 0.0
    total: float = 0.0
    at: float = 0.0

    def decayed(self, at: float) -> tuple[float, float]:
        keep = 0.5 ** (max(at - self.at, 0.0) / self.half_life)
        return self.weight * keep, self.total * keep

    def add(self, at: float, value: float, weight: float = 1.0) -> None:
        self.weight, self.total = self.decayed(at)
        self.weight += weight
        self.total += weight * value
        self.at = at

    def mean(self, at: float, shrink: float) -> float:
        weight, total = self.decayed(at)
        return total / (weight + shrink) if weight + shrink else 0.0


@dataclass(slots=True)
class _Level:
    """What one number used to be over the window."""

    values: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, at: float, value: float) -> None:
        while self.values and self.values[0][0] < at - WINDOW_DAYS:
            self.values.popleft()
        self.values.append((at, value))

    def mean(self, at: float) -> float | None:
        """The mean of the window before `at`; None where nothing is in it."""
        # Summed anew each time: a running sum would depend on what has long been forgotten, in its last bits.
        kept = [value for then, value in self.values if then >= at - WINDOW_DAYS]
        return math.fsum(kept) / len(kept) if kept else None


class History:
    """One person's past, moment by moment, and the features that it gives to the next one.

    The names say what a feature is: ``now:X`` the number X; ``off:X`` how far it is from the person's own mean of 30
    days; ``told:…`` what was answered (the share of yes, minus a half; ``told:missed`` how many moments lately had
    neither a reading nor an answer); ``word:…`` what was answered at this place, in this activity, in this company,
    at this time of day, on this weekday, beyond the person's own rate; ``is:…`` the category itself; ``same:…`` that
    it has not changed; ``lack:X`` that X was known before and is missing now; ``clock:…`` the time; ``at`` the
    instant. What else was tried stands in ``docs/leave-me-alone.md``.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> history = History()
    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> history.add(Situation(noon, 1, 12.0, 0, numbers={"tired": 2.0}), Answer(1.0))
    >>> later = Situation(noon + timedelta(hours=3), 1, 15.0, 0, numbers={"tired": 5.0})
    >>> seen = history.features(later)
    >>> seen["now:tired"], seen["off:tired"], seen["told:last"]
    (5.0, 3.0, 0.5)
    """

    def __init__(self) -> None:
        self._levels: dict[str, _Level] = {}
        self._rates = {
            "fast": _Decaying(FAST_DAYS),
            "slow": _Decaying(SLOW_DAYS),
            "month": _Decaying(WINDOW_DAYS),
        }
        self._graded = {"slow": _Decaying(SLOW_DAYS), "month": _Decaying(WINDOW_DAYS)}
        self._by_category: dict[str, _Decaying] = {}
        self._last: tuple[float, float] | None = None
        self._before_last = 0.0
        self._last_graded: float | None = None
        self._seen_at: float | None = None
        self._words: dict[str, str] = {}
        self._missed = _Decaying(FAST_DAYS)

    def features(self, situation: Situation) -> dict[str, float]:
        """Name what is known now; the same past and the same moment give the same numbers."""
        at = situation.at.timestamp() / _DAY_S
        named: dict[str, float] = {AT: at}
        self._name_numbers(named, situation, at)
        self._name_answers(named, at)
        self._name_words(named, situation, at)
        _name_clock(named, situation)
        if self._seen_at is not None:
            named["clock:since_seen"] = math.log1p(max(at - self._seen_at, 0.0) * 24)
        return named

    def add(self, situation: Situation, answer: Answer | None) -> None:
        """Take a moment into the past, with its answer where one was given."""
        at = situation.at.timestamp() / _DAY_S
        for name, value in situation.numbers.items():
            self._levels.setdefault(name, _Level()).add(at, value)
        nothing = not situation.numbers and not situation.words and answer is None
        self._missed.add(at, float(nothing))
        self._seen_at = at
        self._words = dict(situation.words)
        if answer is not None:
            self._hear(situation, answer, at)

    def _hear(self, situation: Situation, answer: Answer, at: float) -> None:
        share = answer.share - 0.5
        for rate in self._rates.values():
            rate.add(at, share, answer.weight)
        if answer.graded is not None:
            for level in self._graded.values():
                level.add(at, answer.graded, answer.weight)
            self._last_graded = answer.graded
        for _, category in _categories(situation):
            self._by_category.setdefault(category, _Decaying(WINDOW_DAYS)).add(at, share, answer.weight)
        self._before_last = self._last[1] if self._last else 0.0
        self._last = (at, share)

    def _name_numbers(self, named: dict[str, float], situation: Situation, at: float) -> None:
        for name, value in situation.numbers.items():
            named[f"now:{name}"] = value
            usual = self._levels[name].mean(at) if name in self._levels else None
            if usual is not None:
                named[f"off:{name}"] = value - usual
        named.update((f"lack:{name}", 1.0) for name in self._levels if name not in situation.numbers)

    def _name_answers(self, named: dict[str, float], at: float) -> None:
        named["told:missed"] = self._missed.mean(at, 1.0)
        for name, rate in self._rates.items():
            named[f"told:{name}"] = rate.mean(at, 1.0)
        for name, level in self._graded.items():
            if level.weight:
                named[f"told:graded_{name}"] = level.mean(at, 0.0)
        if self._last_graded is not None:
            named["told:graded_last"] = self._last_graded
        if self._last is not None:
            age = max(at - self._last[0], 0.0)
            named["told:last"] = self._last[1]
            named["told:last_fresh"] = self._last[1] * 0.5 ** (age / FRESH_DAYS)
            named["told:before_last"] = self._before_last
            named["told:age"] = math.log1p(age * 24)

    def _name_words(self, named: dict[str, float], situation: Situation, at: float) -> None:
        own = self._rates["month"].mean(at, 1.0)
        for kind, category in _categories(situation):
            told = self._by_category.get(category)
            weight, total = told.decayed(at) if told else (0.0, 0.0)
            named[f"word:{kind}"] = (total - weight * own) / (weight + _SHRINK)
            if kind in situation.words:
                named[f"word:{kind}:known"] = math.log1p(weight)
        for name, value in situation.words.items():
            named[f"is:{name}={value}"] = 1.0
            if name in self._words:
                named[f"same:{name}"] = float(self._words[name] == value)


def _categories(situation: Situation) -> list[tuple[str, str]]:
    """What answers are remembered by: each word, each pair of words, the time of day, the weekday."""
    words = sorted(situation.words.items())
    found = [(name, f"{name}={value}") for name, value in words]
    found += [(f"{a}+{b}", f"{a}+{b}={x}|{y}") for i, (a, x) in enumerate(words) for b, y in words[i + 1 :]]
    if situation.hour is not None:
        found.append(("time", f"time={int(situation.hour // 4)}"))
    elif situation.slot is not None:
        found.append(("time", f"slot={situation.slot}"))
    if situation.weekday is not None:
        found.append(("weekday", f"weekday={situation.weekday}"))
    return found


def _name_clock(named: dict[str, float], situation: Situation) -> None:
    if situation.hour is not None:
        angle = 2 * math.pi * situation.hour / 24
        named["clock:hour_sin"], named["clock:hour_cos"] = math.sin(angle), math.cos(angle)
    if situation.weekday is not None:
        angle = 2 * math.pi * situation.weekday / 7
        named["clock:week_sin"], named["clock:week_cos"] = math.sin(angle), math.cos(angle)
        named["clock:weekend"] = float(situation.weekday >= 5)
    named["clock:day"] = math.log1p(min(situation.day, WINDOW_DAYS))
