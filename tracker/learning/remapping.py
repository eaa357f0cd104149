"""What a person means when their face reads as each class: a confusion matrix of one's own, learned online."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence


class Remapping:
    """Learns, for each class a face reads as, what the person says it is.

    Row b of the matrix T answers "when it reads as b, what is it?". It starts at b itself and is the mean of a
    Dirichlet distribution: ``(trust at b + what was said while it read as b) / (trust + how often)``. A reading q
    becomes ``q T``. Since a reading is itself a distribution, what was said is shared among the rows by how well each
    explains it, which is one step of online expectation maximisation (Cappé & Moulines 2009, arXiv 0712.4273).

    Beside a gradient step on log-odds, it moves *probability*: a reading of .999 that is contradicted ten times
    gives way, which no bounded shift of its log-odds could bring about. Two bounds follow from the form: one answer
    of weight w moves at most ``w / (trust + w)`` of the probability, and after n of them a class keeps at
    least ``trust / (trust + n)`` of what it read. Being told "this is k" makes k likelier, and everything else less
    likely, whatever the reading is.

    Parameters
    ----------
    trust
        How many answers the reading itself is worth, in each row. A larger one needs more contradictions.
    leak
        Pseudo-count of every pair while an answer is shared among the rows (not in T): how ready one is to believe
        that a clear reading means something else, rather than that it was a mistaken reading of what was said.

    Examples
    --------
    >>> own = Remapping(trust=1.0, leak=0.2)
    >>> reads_sad = [0.1, 0.9]
    >>> own.apply(reads_sad)
    [0.1, 0.9]
    >>> for _ in range(5):
    ...     own.learn(reads_sad, [1.0, 0.0], 1.0)
    >>> [round(p, 2) for p in own.apply(reads_sad)]
    [0.82, 0.18]

    References
    ----------
    The estimator of a labeller's errors by Dawid & Skene (1979), of a single labeller, from soft readings.
    """

    def __init__(self, trust: float, leak: float) -> None:
        self.trust = trust
        self.leak = leak
        self.counts: list[list[float]] = []

    def apply(self, reading: Sequence[float]) -> list[float]:
        """Turn a reading (N probabilities) into what this person means by it."""
        if not self.counts:
            return list(reading)
        trust = self.trust
        scaled = [q / (trust + math.fsum(row)) for q, row in zip(reading, self.counts, strict=True)]
        moved = [[q * n for n in row] for q, row in zip(scaled, self.counts, strict=True)]
        return [
            trust * q + math.fsum(column) for q, column in zip(scaled, zip(*moved, strict=True), strict=True)
        ]

    def learn(self, reading: Sequence[float], said: Sequence[float], weight: float) -> None:
        """Count an answer (N shares) of a weight >= 0 in the rows that explain it."""
        if not self.counts:
            self.counts = [[0.0] * len(reading) for _ in reading]
        totals = [self.trust + math.fsum(row) for row in self.counts]
        shared: list[tuple[int, list[float]]] = []
        for k, share in enumerate(said):
            if share:
                explains = [
                    q * (row[k] + self.leak + (self.trust if b == k else 0.0)) / total
                    for b, (q, row, total) in enumerate(zip(reading, self.counts, totals, strict=True))
                ]
                whole = math.fsum(explains)
                if whole > 0.0:
                    shared.append((k, [weight * share * e / whole for e in explains]))
        for k, amounts in shared:
            for row, amount in zip(self.counts, amounts, strict=True):
                row[k] += amount

    def lighten(self, most: float) -> None:
        """Scale rows down to at most `most` answers each; what they say of where answers went stays.

        Examples
        --------
        >>> own = Remapping(trust=1.0, leak=0.2)
        >>> own.counts = [[6.0, 2.0], [1.0, 0.0]]
        >>> own.lighten(4.0)
        >>> own.counts
        [[3.0, 1.0], [1.0, 0.0]]
        """
        for row in self.counts:
            total = math.fsum(row)
            if total > most:
                row[:] = [n * most / total for n in row]

    def as_dict(self, classes: Sequence[str]) -> dict[str, dict[str, float]]:
        """Give the counts by class read and class said; empty while nothing was learned."""
        return {b: dict(zip(classes, row, strict=True)) for b, row in zip(classes, self.counts, strict=False)}

    def restore(self, counts: Mapping[str, Mapping[str, float]], classes: Iterable[Hashable]) -> None:
        """Take counts that `as_dict` gave.

        Raises
        ------
        ValueError
            For a class that lacks, or a count that is negative or not finite.
        """
        names = list(classes)
        rows = [[float(counts[str(b)][str(k)]) for k in names] for b in names] if counts else []
        if not all(0.0 <= n < math.inf for row in rows for n in row):
            raise ValueError("a count that is negative or not finite")
        self.counts = rows
