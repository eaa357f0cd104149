"""What a method of forecasting is to the challenge, and ours: the product's own learner."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from tracker.lab.challenge.diaries import Diary
from tracker.learning.answer_learners import YesNoLearner
from tracker.learning.histories import History
from tracker.learning.prior import Prior, no_prior
from tracker.learning.prior_fitting import Row, fit_prior
from tracker.learning.situations import Answer, Situation

REVEALED = 0.5
"""Share of the truths after the warm-up that a prior's people are taken to have told: about what asking hears."""


class Forecaster(Protocol):
    """One person's forecasts, one moment at a time."""

    def predict(self, situation: Situation) -> float:
        """The probability of yes, from what is known now and was told before."""

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        """Take in a moment after the decision, once and in order; None where the truth was not told."""


Maker = Callable[[], Forecaster]


class Method(Protocol):
    """A way of forecasting, fitted on other people."""

    name: str

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Fit what is pooled on these people's diaries; what comes out makes one forecaster per person."""


class Pooled:
    """The pooled part that several methods share: features of diaries, made once, and the prior over them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], tuple[Diary, list[Row]]] = {}

    def rows(self, diary: Diary, warmup: int) -> list[Row]:
        """Every answered moment with the features that a system would have seen which hears half of the truths."""
        key = (id(diary), warmup)
        if key not in self._rows:
            # The diary is kept beside its rows, so that its id cannot come to mean another.
            self._rows[key] = (diary, rows_of(diary, warmup))
        return self._rows[key][1]

    def prior(self, people: Sequence[Diary], warmup: int) -> Prior:
        """The prior fitted on these people; that of nobody where nobody answered."""
        rows = [row for diary in people for row in self.rows(diary, warmup)]
        return fit_prior(rows, "yes_no") if rows else no_prior("yes_no")

    def shares(self, people: Sequence[Diary], warmup: int) -> Prior:
        """The prior of a method that knows no third answer: an "either" is half a yes and half a no.

        In `prior` it is neither, which a learner of yes alone would take for a no.
        """
        halves = [
            replace(row, value=value, weight=row.weight * share)
            for diary in people
            for row in self.rows(diary, warmup)
            for value, share in ((1.0, row.value), (0.0, 1.0 - row.value))
            if share
        ]
        return fit_prior(halves, "yes_no") if halves else no_prior("yes_no")


def rows_of(diary: Diary, warmup: int, revealed: float = REVEALED) -> list[Row]:
    """Give the rows of one diary for a prior.

    Every answer is learned from; the *features* of each moment know only the answers of the warm-up and a random
    share of the later ones, because that is what the histories of people look like who are asked now and then.
    """
    rng = np.random.default_rng(zlib.crc32(diary.person.encode()))
    history, rows = History(), []
    for beep in diary.moments:
        answer = beep.answer
        if answer is not None:
            rows.append(Row(diary.person, history.features(beep.situation), answer.share, answer.weight))
        told = beep.situation.day <= warmup or rng.random() < revealed
        history.add(beep.situation, answer if told else None)
    return rows


class Learner:
    """Ours: the history and the yes-or-no learner that run in the product, over a prior of other people."""

    name = "learner"

    def __init__(self, pooled: Pooled) -> None:
        self._pooled = pooled

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Fit the prior."""
        frozen = self._pooled.prior(people, warmup).as_json()
        return lambda: _Learning(YesNoLearner.fresh(frozen))


class _Learning:
    def __init__(self, learner: YesNoLearner) -> None:
        self._learner, self._history = learner, History()
        self._seen: tuple[Situation, dict[str, float]] | None = None

    def predict(self, situation: Situation) -> float:
        self._seen = situation, self._history.features(situation)
        return self._learner.predict(self._seen[1])

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        if answer is not None:
            seen = self._seen
            known = seen[1] if seen and seen[0] is situation else self._history.features(situation)
            self._learner.learn(known, answer.share, answer.weight)
        self._history.add(situation, answer)
