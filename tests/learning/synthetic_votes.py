"""Votes of made-up raters on made-up items: SIMULATED, the same wherever they are made."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass

CLASSES = 8
TURNS = 40
"""Of expectation and maximisation, in both programs."""

SIX: tuple[float | None, ...] = (0.85, 0.8, 0.74, 0.6, None, 0.7)
"""How often six raters are right; the fifth says the first class always."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Votes with what is true of the items.

    Attributes
    ----------
    votes
        Item, rater and class of each vote.
    truth
        The class of each item.
    raters
        How many there are.
    """

    votes: tuple[tuple[int, int, int], ...]
    truth: tuple[int, ...]
    raters: int

    @property
    def sha256(self) -> str:
        """By which a recorded figure knows that it is about these votes."""
        return hashlib.sha256(json.dumps(self.votes).encode()).hexdigest()


def synthetic(
    seed: int = 1,
    items: int = 300,
    per_item: int = 4,
    right: tuple[float | None, ...] = (0.85, 0.8, 0.74, 0.6, None, 0.7),
) -> Synthetic:
    """Votes of raters who are right as often as said; None is one who says the first class, whatever there is.

    Made with Python's own generator, whose numbers do not change between versions.
    """
    chance = random.Random(seed)
    truth = [chance.randrange(CLASSES) for _ in range(items)]
    votes = []
    for item, true in enumerate(truth):
        for rater in sorted(chance.sample(range(len(right)), per_item)):
            accuracy = right[rater]
            if accuracy is None:
                said = 0
            elif chance.random() < accuracy:
                said = true
            else:
                said = chance.randrange(CLASSES)
            votes.append((item, rater, said))
    return Synthetic(tuple(votes), tuple(truth), len(right))


CASES = {
    "six raters, one of them says the first class always": {"seed": 1},
    "three raters, two votes an item": {"seed": 2, "items": 120, "per_item": 2, "right": (0.9, 0.7, 0.5)},
    "ten raters, all of them good": {"seed": 3, "items": 60, "per_item": 10, "right": (0.9,) * 10},
}
"""What the oracle was asked about."""
