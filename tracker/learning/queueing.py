"""In which order items are put before raters, how many raters see each, and why: all of it pure.

The order is that of what a learner gains (uncertainty sampling, Lewis & Gale 1994) with room for what was long not
asked and for chance. Data in that order cannot estimate an accuracy, so a tenth of all items is drawn beforehand, at
random: every tenth item comes from there, and is marked so; the order never takes one of these while it has others.
Which these are and how many raters see an item follow from the item itself: nothing has to be remembered of it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.rating import Because

LONG = timedelta(days=30)
"""After this time without a word about such moments, waiting longer adds nothing."""

_MOST = math.log(len(EMOTIONS))


@dataclass(frozen=True, slots=True)
class OrderWeights:
    """What counts how much in the order; judgement, declared in one place.

    Parameters
    ----------
    entropy
        How unsure the estimate is: raise it to teach faster.
    waiting
        How long nobody has said anything in this context: raise it to cover more of a person's life.
    chance
        Raise it so that several raters meet less, and a mistaken estimate hides less.
    """

    entropy: float = 0.6
    waiting: float = 0.2
    chance: float = 0.2


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that could be shown.

    Parameters
    ----------
    item
        Its observation.
    entropy
        Of its estimate, in nats.
    waited
        Since the last word about a moment in the same context; None where there never was one.
    skipped
        Whether this rater has put it off: it then comes after everything else.
    """

    item: int
    entropy: float
    waited: timedelta | None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many raters see an item.

    Parameters
    ----------
    second_share
        The share of items that two raters see.
    """

    second_share: float = 0.2


def entropies(probabilities: Sequence[Sequence[float]]) -> list[float]:
    """Shannon entropy of each of many distributions, in nats: as `Distribution.entropy`, for thousands at once.

    Examples
    --------
    >>> [round(h, 3) for h in entropies([[1.0, 0.0], [0.5, 0.5]])], entropies([])
    ([0.0, 0.693], [])
    """
    if not probabilities:
        return []
    p = np.asarray(probabilities, dtype=np.float64)
    found: list[float] = (-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)).tolist()
    return [abs(h) for h in found]


def value_of(candidate: Candidate, u: float, weights: OrderWeights = OrderWeights()) -> float:
    """How much is gained by showing an item now, between 0 and 1 with the weights as they are.

    Parameters
    ----------
    u
        A uniform random number in [0, 1).

    Examples
    --------
    >>> sure, unsure = Candidate(1, 0.0, LONG), Candidate(2, 2.0794415, LONG)
    >>> round(value_of(sure, 0.5), 2), round(value_of(unsure, 0.5), 2)
    (0.3, 0.9)
    """
    return (
        weights.entropy * min(candidate.entropy / _MOST, 1.0)
        + weights.waiting * _waiting(candidate)
        + weights.chance * u
    )


def ordered(
    candidates: Sequence[Candidate],
    chance: Sequence[float],
    weights: OrderWeights = OrderWeights(),
) -> list[Candidate]:
    """Candidates in the order in which they are shown; those that were put off come last.

    Parameters
    ----------
    chance
        A uniform random number for each candidate.

    Examples
    --------
    >>> [c.item for c in ordered([Candidate(1, 0.1, LONG), Candidate(2, 2.0, LONG)], [0.5, 0.5])]
    [2, 1]
    >>> [c.item for c in ordered([Candidate(1, 0.1, LONG), Candidate(2, 2.0, LONG, skipped=True)], [0.5, 0.5])]
    [1, 2]
    """
    scored = sorted(
        zip(candidates, chance, strict=True),
        key=lambda pair: (pair[0].skipped, -value_of(pair[0], pair[1], weights), pair[0].item),
    )
    return [candidate for candidate, _ in scored]


def because(candidate: Candidate, weights: OrderWeights = OrderWeights()) -> Because:
    """The part that counted most for an item; what chance added is no reason that anybody could check.

    Examples
    --------
    >>> because(Candidate(1, 2.0, timedelta(0))).value, because(Candidate(1, 0.1, None)).value
    ('unsure', 'waited')
    """
    unsure = weights.entropy * min(candidate.entropy / _MOST, 1.0)
    return Because.UNSURE if unsure >= weights.waiting * _waiting(candidate) else Because.WAITED


def at_random(turn: int, every: int) -> bool:
    """Whether the n-th item of a rater (from 1) is one of those that were drawn at random.

    Examples
    --------
    >>> [turn for turn in range(1, 31) if at_random(turn, 10)]
    [10, 20, 30]
    """
    return turn % every == 0


def top_decile(entropies: Sequence[float]) -> float:
    """From which entropy on an estimate is among the most unsure tenth; infinity where there are fewer than ten.

    Examples
    --------
    >>> top_decile([i / 10 for i in range(10)])
    0.9
    >>> top_decile([1.0])
    inf
    """
    if len(entropies) < 10:
        return math.inf
    return sorted(entropies)[-(len(entropies) // 10)]


def wanted(
    subject: str,
    item: int,
    entropy: float,
    decile: float,
    said: Sequence[Distribution | None],
    overlap: Overlap,
) -> int:
    """How many raters should see an item: one, two for a share of all, three where it is hard.

    It is hard where the estimate is among the most unsure tenth, or where the first two disagree.

    Parameters
    ----------
    subject, item
        Whose, and which: the share of two is drawn from these, so that it is the same whenever it is asked.
    entropy, decile
        Of its estimate, and from which on one is among the most unsure.
    said
        What raters have said about it already, the first first; None for a word without an emotion.
    overlap
        The study's policy.

    Examples
    --------
    >>> from tracker.domain.affect import Emotion
    >>> sad, angry = Distribution.said(Emotion.SADNESS), Distribution.said(Emotion.ANGER)
    >>> wanted("s", 1, 0.5, 2.0, [sad, angry], Overlap()), wanted("s", 1, 2.0, 2.0, [], Overlap())
    (3, 3)
    """
    if entropy >= decile or (len(said) >= 2 and _top(said[0]) is not _top(said[1])):
        return 3
    return 2 if share_of(subject, item) < overlap.second_share else 1


def share_of(subject: str, item: int) -> float:
    """A number in [0, 1) that belongs to an item: uniform over items, and always the same for one.

    Examples
    --------
    >>> share_of("s", 1) == share_of("s", 1), 0 <= share_of("s", 2) < 1
    (True, True)
    """
    return _uniform(f"{subject}|{item}")


def drawn(subject: str, item: int, every: int) -> bool:
    """Whether an item is one of the so-manieth part that is drawn at random from all, before anybody rates one.

    What is drawn of the items that nobody has rated yet lacks the hard ones, which came first; this lacks nothing.

    Examples
    --------
    >>> round(sum(drawn("s", item, 10) for item in range(2_000)) / 2_000, 2)
    0.1
    """
    return _uniform(f"drawn|{subject}|{item}") < 1 / every


def _top(said: Distribution | None) -> Emotion | None:
    return None if said is None else said.top


def _waiting(candidate: Candidate) -> float:
    return 1.0 if candidate.waited is None else min(max(candidate.waited / LONG, 0.0), 1.0)


def _uniform(name: str) -> float:
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
