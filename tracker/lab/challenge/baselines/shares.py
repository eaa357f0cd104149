"""Two that look at nothing but what was answered before: the person's majority, and the last answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster, Maker
from tracker.learning.situations import Answer, Situation


def pooled_rate(people: Sequence[Diary]) -> float:
    """Share of yes among these people's answers; a half where there are none.

    Examples
    --------
    >>> pooled_rate([])
    0.5
    """
    shares = [beep.answer.share for diary in people for beep in diary.moments if beep.answer is not None]
    return sum(shares) / len(shares) if shares else 0.5


class Majority:
    """The person's share of yes so far, behind one pseudo-answer at the others' rate; "either" counts half."""

    name = "majority"

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Take the others' rate."""
        rate = pooled_rate(people)

        def make() -> Forecaster:
            return _Share(rate)

        return make


class _Share:
    def __init__(self, rate: float) -> None:
        self._yes, self._told = rate, 1.0

    def predict(self, situation: Situation) -> float:
        return self._yes / self._told

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        if answer is not None:
            self._yes += answer.weight * answer.share
            self._told += answer.weight


class LastValue:
    """The last definite answer holds on, as often as definite answers of the others were repeated by their next one.

    An "either" is no value that could repeat: it is passed over.
    """

    name = "last_value"

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Count how often yes follows yes, and no."""
        rate = pooled_rate(people)
        after = {True: (rate, 1.0), False: (rate, 1.0)}
        for diary in people:
            for before, now in pairwise(_definite(diary)):
                yes, told = after[before]
                after[before] = (yes + now, told + 1.0)
        repeats = {before: yes / told for before, (yes, told) in after.items()}

        def make() -> Forecaster:
            return _Last(rate, repeats)

        return make


def _definite(diary: Diary) -> list[bool]:
    answers = [beep.answer for beep in diary.moments if beep.answer is not None]
    return [answer.share > 0.5 for answer in answers if answer.share != 0.5]


class _Last:
    def __init__(self, rate: float, repeats: dict[bool, float]) -> None:
        self._now, self._repeats = rate, repeats

    def predict(self, situation: Situation) -> float:
        return self._now

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        if answer is not None and answer.share != 0.5:
            self._now = self._repeats[answer.share > 0.5]
