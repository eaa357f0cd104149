"""Counts per draw and person of one block of days: what nearly every figure is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.lab.challenge.outcomes import ASKED, DECIDED, SILENT, BoolArray, FloatArray, IntArray, Outcomes

BOTH_ANSWERS = 0.1
"""Who gave each of the two definite answers in at least this share of a block's moments has both answers."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The draws of one loop in one block, with people in the order of their names.

    Attributes
    ----------
    draws
        Only moments of these people in these days; ``person`` counts from 0 within them.
    """

    draws: tuple[Outcomes, ...]

    @classmethod
    def of(cls, draws: Sequence[Outcomes], first_day: int, last_day: int) -> Tally:
        """Take the block's moments, and the people who have any.

        Raises
        ------
        ValueError
            Without a draw, or where draws are of different people.
        """
        if not draws:
            raise ValueError("scoring needs the outcomes of at least one draw")
        if len({draw.names for draw in draws}) > 1:
            raise ValueError("all draws must be of the same people in the same order")
        return cls(tuple(draw.between(first_day, last_day) for draw in draws)).keep(None)

    @property
    def people(self) -> int:
        """People with moments."""
        return len(self.draws[0].names)

    def keep(self, chosen: BoolArray | None) -> Tally:
        """Keep the people of a mask, or those who have any moments, ordered by name."""
        names = self.draws[0].names
        if chosen is None:
            chosen = np.zeros(len(names), dtype=np.bool_)
            for draw in self.draws:
                chosen[draw.person] = True
        order = [i for i in sorted(range(len(names)), key=names.__getitem__) if chosen[i]]
        place = np.full(len(names), -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        return Tally(tuple(_renumber(d, place, tuple(names[i] for i in order)) for d in self.draws))

    def count(self, of: Callable[[Outcomes], FloatArray | BoolArray]) -> FloatArray:
        """Sum something of each moment: (D, P)."""
        return np.stack(
            [
                np.bincount(d.person, weights=of(d).astype(np.float64), minlength=self.people)
                for d in self.draws
            ]
        )

    @property
    def scored(self) -> FloatArray:
        """Moments."""
        return self.count(lambda d: np.ones(len(d)))

    @property
    def asked(self) -> FloatArray:
        """Questions, audits among them."""
        return self.count(lambda d: d.action == ASKED)

    @property
    def silent(self) -> FloatArray:
        """Moments beyond the budget."""
        return self.count(lambda d: d.action == SILENT)

    @property
    def decided(self) -> FloatArray:
        """Moments decided without a question."""
        return self.count(lambda d: d.action == DECIDED)

    @property
    def decided_right(self) -> FloatArray:
        """Decisions that the answer does not contradict."""
        return self.count(lambda d: (d.action == DECIDED) & right(d))

    @property
    def days(self) -> FloatArray:
        """Days with at least one moment."""
        return np.stack([_days(d, self.people) for d in self.draws])

    def has_both_answers(self) -> BoolArray:
        """Who (P,) gave each definite answer often enough that knowing the person is not knowing the answer."""
        draw = self.draws[0]
        scored = np.maximum(np.bincount(draw.person, minlength=self.people), 1)
        rarer = np.minimum(*(np.bincount(draw.person[m], minlength=self.people) for m in answers(draw)))
        return np.asarray(rarer / scored >= BOTH_ANSWERS, dtype=np.bool_)


def answers(draw: Outcomes) -> tuple[BoolArray, BoolArray]:
    """Which moments were definitely true, and which definitely not."""
    definite = ~draw.either
    return draw.truth & definite, ~draw.truth & definite


def right(draw: Outcomes) -> BoolArray:
    """Which moments the likelier answer does not contradict."""
    said: BoolArray = draw.probability >= 0.5
    agreed: BoolArray = said == draw.truth
    return agreed | draw.either


def _renumber(draw: Outcomes, place: IntArray, names: tuple[str, ...]) -> Outcomes:
    kept = draw.where(place[draw.person] >= 0)
    return Outcomes(
        place[kept.person],
        kept.day,
        kept.probability,
        kept.truth,
        kept.either,
        kept.action,
        kept.audit,
        names,
    )


def _days(draw: Outcomes, people: int) -> FloatArray:
    length = int(draw.day.max()) + 1 if len(draw) else 1
    pairs = np.unique(draw.person * length + draw.day)
    return np.bincount(pairs // length, minlength=people).astype(np.float64)
