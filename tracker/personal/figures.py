"""How often a learner was right about one person, judged as it happened, with its baselines and its uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain.affect import Distribution, derived_valence_arousal
from tracker.learning.kinds import AROUSAL, VALENCE, Kind, kind_of
from tracker.learning.shares import FEWEST, Share
from tracker.store.learned import Foretold

_Z = 1.959964
_FEW = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622)
"""Student's percentiles for one to nine degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Misses:
    """How far off a number was on average, with the interval of Student (1908) at 95 %.

    Examples
    --------
    >>> misses = Misses.of([0.1, 0.3, 0.2, 0.2])
    >>> round(misses.mean, 2), round(misses.low, 2), round(misses.high, 2), misses.n, misses.early
    (0.2, 0.07, 0.33, 4, True)
    >>> Misses.of([0.1]).ranged
    False
    """

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, misses: Sequence[float]) -> Misses:
        """The mean of some distances."""
        n = len(misses)
        mean = math.fsum(misses) / n if n else 0.0
        spread = math.sqrt(math.fsum((m - mean) ** 2 for m in misses) / (n - 1)) if n > 1 else 0.0
        half = _student(n - 1) * spread / math.sqrt(n) if n > 1 else 0.0
        return cls(mean, max(mean - half, 0.0), mean + half, n)

    @property
    def early(self) -> bool:
        """Whether it rests on too little to be told."""
        return self.n < FEWEST

    @property
    def ranged(self) -> bool:
        """Whether there is an interval at all: one distance says nothing of how much they differ."""
        return self.n > 1


def _student(freedom: int) -> float:
    """The 97.5th percentile of Student's distribution, to three digits (Fisher and Cornish, 1960, from ten on)."""
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    z, f = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    )


Figure = Share | Misses


@dataclass(frozen=True, slots=True)
class Judged:
    """How right a learner was, beside what it should beat, on the very same answers.

    Attributes
    ----------
    learner
        Its own words, each said before it knew the answer.
    network
        The network alone, before anything is learned from the person; None where it says nothing of the target.
    majority
        What the person had said most often until then; of a number, its mean until then.
    last
        What the person had said last.
    earlier, later
        The learner in the first and the second half of the answers.
    shown
        Share of the answers that were given while an estimate was on the screen: agreeing is easy then.
    skipped
        Answers that could not be judged: the network had read nothing, or "either is fine" was said.
    """

    learner: Figure
    network: Figure | None
    majority: Figure
    last: Figure
    earlier: Figure
    later: Figure
    shown: Share
    skipped: int = 0

    @property
    def n(self) -> int:
        """On how many answers it rests."""
        return self.learner.n

    @property
    def early(self) -> bool:
        """Whether it is too early to say anything."""
        return self.learner.early


@dataclass(frozen=True, slots=True)
class Stretch:
    """The same for some days.

    Attributes
    ----------
    first, last
        The first and the last local day.
    learner, network, majority, said_last
        As in `Judged`.
    sure
        How sure the learner said it was, on average: where it means what it says, as often as it was right. None of
        numbers.
    """

    first: date
    last: date
    learner: Figure
    network: Figure | None
    majority: Figure
    said_last: Figure
    sure: float | None


@dataclass(slots=True)
class _Row:
    """How far off each was, at one answer."""

    learner: float
    network: float | None
    majority: float
    last: float
    shown: bool = field(default=False)


def judge(target: str, answers: Sequence[Foretold]) -> Judged:
    """Judge a learner of a target on answers, in recording order."""
    kind = kind_of(target)
    usable = [answer for answer in answers if _usable(kind, answer)]
    rows = list(_rows(target, usable))
    figure = _distances if kind is Kind.NUMBER else _share
    half = len(rows) // 2
    networks = [row.network for row in rows if row.network is not None]
    return Judged(
        learner=figure([row.learner for row in rows]),
        network=figure(networks) if len(networks) == len(rows) and rows else None,
        majority=figure([row.majority for row in rows]),
        last=figure([row.last for row in rows]),
        earlier=figure([row.learner for row in rows[:half]]),
        later=figure([row.learner for row in rows[half:]]),
        shown=Share(sum(row.shown for row in rows), len(rows)),
        skipped=len(answers) - len(usable),
    )


def over_time(target: str, answers: Sequence[Foretold], zone: ZoneInfo, days: int = 7) -> tuple[Stretch, ...]:
    """Judge a learner in stretches of some local days, counted from the first answer, in order of time.

    What it is compared with knows everything said before, as in `judge`; a stretch without answers is not there.

    Parameters
    ----------
    answers
        In recording order.
    """
    kind = kind_of(target)
    usable = [answer for answer in answers if _usable(kind, answer)]
    if not usable:
        return ()
    local = [answer.at.astimezone(zone).date() for answer in usable]
    begin = min(local)
    by: dict[int, list[tuple[_Row, Foretold]]] = {}
    for day, row, answer in zip(local, _rows(target, usable), usable, strict=True):
        by.setdefault((day - begin).days // days, []).append((row, answer))
    figure = _distances if kind is Kind.NUMBER else _share
    found = []
    for number, pairs in sorted(by.items()):
        rows = [row for row, _ in pairs]
        networks = [row.network for row in rows if row.network is not None]
        sure = [_sure(kind, answer.predicted) for _, answer in pairs]
        first = begin + timedelta(days=days * number)
        found.append(
            Stretch(
                first,
                first + timedelta(days=days - 1),
                figure([row.learner for row in rows]),
                figure(networks) if len(networks) == len(rows) else None,
                figure([row.majority for row in rows]),
                figure([row.last for row in rows]),
                math.fsum(sure) / len(sure) if kind is not Kind.NUMBER else None,
            )
        )
    return tuple(found)


def _sure(kind: Kind, predicted: Any) -> float:
    if kind is Kind.NUMBER or predicted is None:
        return 0.0
    return float(max(predicted.probabilities)) if kind is Kind.EMOTION else max(predicted, 1.0 - predicted)


def _usable(kind: Kind, answer: Foretold) -> bool:
    if kind is Kind.EMOTION:
        return answer.machine is not None  # otherwise the network, beside which it is judged, said nothing
    return kind is Kind.NUMBER or answer.label != 0.5


def _rows(target: str, answers: Sequence[Foretold]) -> list[_Row]:
    off, of = _OFF[kind_of(target)], _network(target)
    seen: list[Any] = []
    rows = []
    for answer in answers:
        label = answer.label
        usual = _usual(kind_of(target), seen)
        rows.append(
            _Row(
                off(answer.predicted, label),
                off(of(answer.machine), label) if of is not None and answer.machine is not None else None,
                off(usual, label),
                off(seen[-1] if seen else None, label),
                answer.shown,
            )
        )
        seen.append(label)
    return rows


def _usual(kind: Kind, seen: Sequence[Any]) -> Any:
    if not seen:
        return None
    if kind is Kind.NUMBER:
        return math.fsum(seen) / len(seen)
    of = {s.top if isinstance(s, Distribution) else s: s for s in seen}
    counts = Counter(s.top if isinstance(s, Distribution) else s for s in seen)
    return of[counts.most_common(1)[0][0]]


def _network(target: str) -> Callable[[Distribution], Any] | None:
    if kind_of(target) is Kind.EMOTION:
        return lambda said: said
    if target in (VALENCE, AROUSAL):
        return lambda said: derived_valence_arousal(said)[target == AROUSAL]
    return None


def _off_emotion(said: Any, label: Any) -> float:
    return 1.0 if said is None else float(said.top is not label.top)


def _off_yes_no(said: Any, label: Any) -> float:
    return 1.0 if said is None else float((said >= 0.5) != (label > 0.5))


def _off_number(said: Any, label: Any) -> float:
    mean = 0.0 if said is None else said[0] if isinstance(said, tuple) else said
    return abs(float(mean) - float(label))


_OFF: dict[Kind, Callable[[Any, Any], float]] = {
    Kind.EMOTION: _off_emotion,
    Kind.YES_NO: _off_yes_no,
    Kind.NUMBER: _off_number,
}


def _share(off: Sequence[float]) -> Figure:
    return Share(sum(o == 0.0 for o in off), len(off))


def _distances(off: Sequence[float]) -> Figure:
    return Misses.of(off)
