"""What a rater says where somebody else says something: counts of words by words, and the middle of their times."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracker.domain.affect import EMOTIONS
from tracker.domain.rating import Verdict
from tracker.learning.shares import Share, share

WORDS: tuple[str, ...] = (
    *(emotion.value for emotion in EMOTIONS),
    Verdict.CANNOT_TELL.value,
    Verdict.NOT_A_FACE.value,
)
"""All that a rater can say of a face, in the one order."""

_MANY = 100
"""From how many values on a normal distribution stands for as many coins."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a rater said each word, by what was said beside it.

    Attributes
    ----------
    counts
        By the other's word, then by the rater's own; pairs that never came are not there.
    """

    counts: dict[tuple[str, str], int]

    @property
    def n(self) -> int:
        """How many pairs there are."""
        return sum(self.counts.values())

    @property
    def rows(self) -> tuple[str, ...]:
        """The others' words that came, in the one order."""
        there = {other for other, _ in self.counts}
        return tuple(word for word in WORDS if word in there)

    @property
    def columns(self) -> tuple[str, ...]:
        """The words that either of them said, in the one order."""
        there = {word for pair in self.counts for word in pair}
        return tuple(word for word in WORDS if word in there)

    def of(self, other: str) -> int:
        """How often the other said a word."""
        return sum(n for (beside, _), n in self.counts.items() if beside == other)

    def cell(self, other: str, own: str) -> Share | None:
        """How often the rater said one word where the other said another; None where the other never did."""
        return share(self.counts.get((other, own), 0), self.of(other))


def confused(pairs: Iterable[tuple[str, str]]) -> Confusion | None:
    """Count pairs of (the rater's word, the other's); None of none.

    Examples
    --------
    >>> found = confused([("fear", "fear"), ("fear", "fear"), ("sadness", "fear"), ("anger", "anger")])
    >>> found.rows, found.columns, found.n
    (('anger', 'fear'), ('sadness', 'anger', 'fear'), 4)
    >>> found.cell("fear", "sadness").hits, found.of("fear"), found.cell("sadness", "fear")
    (1, 3, None)
    >>> confused([]) is None
    True
    """
    counts = Counter((other, own) for own, other in pairs)
    return Confusion(dict(counts)) if counts else None


def middle_between(values: Sequence[float]) -> tuple[float, float] | None:
    """Between what limits the median lies at 95 %, by ranks alone; None of fewer than six values.

    Whatever their distribution, the j-th smallest and the j-th largest hold the median unless fewer than j values lie
    on one side of it, which is a matter of coins (Conover, 1999, section 3.2).

    Examples
    --------
    >>> middle_between([1, 2, 3, 4, 5, 6])
    (1.0, 6.0)
    >>> middle_between(range(1, 101))
    (40.0, 61.0)
    >>> middle_between([1, 2, 3]) is None
    True
    """
    ordered, n = sorted(values), len(values)
    if n > _MANY:
        rank = math.floor((n - 1.959964 * math.sqrt(n)) / 2)
    else:
        below, rank = 0.0, 0
        while rank < n and (below := below + math.comb(n, rank) / 2**n) <= 0.025:
            rank += 1
    return (float(ordered[rank - 1]), float(ordered[n - rank])) if rank else None
