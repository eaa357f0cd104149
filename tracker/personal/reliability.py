"""Whether a learner means what it says: how sure it was beside how often it was right, in groups of equal size.

Groups of equal size rather than of equal width, so that none rests on a handful of answers (Nguyen and O'Connor, 2015).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracker.domain.affect import Distribution
from tracker.learning.kinds import Kind, kind_of
from tracker.learning.shares import Share
from tracker.store.learned import Foretold

GROUPS = 10
"""Groups at most."""

LEAST = 10
"""Answers in each group at least, but for the only one of very few."""


@dataclass(frozen=True, slots=True)
class Group:
    """Answers about which somebody was about as sure.

    Attributes
    ----------
    low, high
        How sure it said it was, from least to most.
    said
        The same on average.
    right
        How often it was right, with its interval.
    """

    low: float
    high: float
    said: float
    right: Share


@dataclass(frozen=True, slots=True)
class Reliability:
    """How sure somebody said it was, beside how often it was right.

    Attributes
    ----------
    who
        ``learner``, ``network`` or ``majority``: the most frequent answer so far, as sure as it was frequent.
    groups
        From the least sure to the surest.
    """

    who: str
    groups: tuple[Group, ...]

    @property
    def whole(self) -> Share:
        """How often it was right in all."""
        return Share(sum(g.right.hits for g in self.groups), sum(g.right.n for g in self.groups))

    @property
    def said(self) -> float:
        """How sure it said it was, on average over all answers."""
        n = self.whole.n
        return math.fsum(g.said * g.right.n for g in self.groups) / n if n else 0.0

    @property
    def error(self) -> float:
        """How far both are apart, on average over the groups, each counted by its answers (ECE of equal mass)."""
        n = self.whole.n
        off = math.fsum(abs(g.said - g.right.value) * g.right.n for g in self.groups)
        return off / n if n else 0.0


def reliability(target: str, answers: Sequence[Foretold]) -> tuple[Reliability, ...]:
    """Of the learner, and of what it should beat, on the same answers in recording order; none of numbers.

    What says nothing of an answer is none of its own: the majority knows nothing before the first. "Either is fine"
    contradicts no decision, and how sure anybody is includes the chance that it is said: it counts as right.
    """
    kind = kind_of(target)
    if kind is Kind.NUMBER:
        return ()
    said: dict[str, list[tuple[float, bool]]] = {"learner": [], "network": [], "majority": []}
    seen: Counter[Any] = Counter()
    for answer in answers:
        if kind is Kind.EMOTION and answer.machine is None:
            continue  # what the network did not read it cannot be compared on
        top = _top(answer.label)
        if answer.predicted is not None:
            said["learner"].append(_word(answer.predicted, top))
        if kind is Kind.EMOTION and answer.machine is not None:
            said["network"].append(_word(answer.machine, top))
        if plain := {word: n for word, n in seen.items() if word is not None}:
            usual, n = max(plain.items(), key=lambda pair: pair[1])
            said["majority"].append(((n + seen[None]) / seen.total(), top in (usual, None)))
        seen[top] += 1
    return tuple(Reliability(who, tuple(grouped(pairs))) for who, pairs in said.items() if pairs)


def grouped(pairs: Sequence[tuple[float, bool]]) -> Iterator[Group]:
    """Groups of about equal size; those who are as sure as each other are in the same one.

    Parameters
    ----------
    pairs
        How sure, and whether it was right.

    Examples
    --------
    >>> pairs = [(0.5, False)] * 10 + [(0.9, True)] * 10
    >>> [(g.said, g.right.hits, g.right.n) for g in grouped(pairs)]
    [(0.5, 0, 10), (0.9, 10, 10)]
    """
    ordered = sorted(pairs)
    wanted = min(GROUPS, max(len(ordered) // LEAST, 1))
    start = 0
    for number in range(1, wanted + 1):
        end = max(len(ordered) * number // wanted, start)
        while start < end < len(ordered) and ordered[end][0] == ordered[end - 1][0]:
            end += 1
        if end > start:
            part = ordered[start:end]
            sure = [confidence for confidence, _ in part]
            right = Share(sum(hit for _, hit in part), len(part))
            yield Group(sure[0], sure[-1], math.fsum(sure) / len(sure), right)
            start = end


def _top(label: Any) -> Any:
    """The word that was said; None where either was fine."""
    if isinstance(label, Distribution):
        return label.top
    return None if label == 0.5 else label > 0.5


def _word(said: Any, top: Any) -> tuple[float, bool]:
    """How sure it was of what it said, and whether that is what was answered."""
    if isinstance(said, Distribution):
        return float(max(said.probabilities)), said.top is top
    return max(said, 1.0 - said), top is None or (said >= 0.5) == top
