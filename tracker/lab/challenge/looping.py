"""The closed loop over one person: decide, ask or stay silent by the rule of the app; hear only what was asked."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster
from tracker.lab.challenge.outcomes import ASKED, BoolArray, FloatArray, IntArray
from tracker.lab.challenge.settings import Mode
from tracker.learning.choosing import choose

AUDITS = 0.03
"""Share of moments at which it asks by chance, however sure: the only unbiased look at what it decides alone."""

Threshold = Callable[[int], float]
"""The confidence from which it decides, by the person's day."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What binds a loop beside the threshold.

    Parameters
    ----------
    mode
        Whether the truth comes only when asked for.
    warmup
        Days in which everything is asked.
    budget
        Most questions a day, or None.
    last_day
        Days after this one are not replayed.
    audits
        Share of moments asked by chance.
    """

    mode: Mode = Mode.DEPLOYED
    warmup: int = 7
    budget: int | None = None
    last_day: int = 10**6
    audits: float = AUDITS


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of one person's loop: arrays over the scored moments, in time order."""

    day: IntArray
    probability: FloatArray
    truth: BoolArray
    either: BoolArray
    action: IntArray
    audit: BoolArray

    @property
    def confidence(self) -> FloatArray:
        """How sure it was: the larger of the two probabilities."""
        return np.maximum(self.probability, 1.0 - self.probability)

    @property
    def right(self) -> BoolArray:
        """Whether a decision contradicts nobody, made or not."""
        right: BoolArray = ((self.probability >= 0.5) == self.truth) | self.either
        return right


def chances(diary: Diary, seed: int, draw: int) -> tuple[FloatArray, FloatArray]:
    """Two random numbers for each moment of a diary: for its audit, and for asking at random.

    They hang on the seed, the draw and the person's name, so that every method meets the same ones.
    """
    rng = np.random.default_rng([seed, draw, zlib.crc32(diary.person.encode())])
    return rng.random(len(diary.moments)), rng.random(len(diary.moments))


def walk(
    diary: Diary,
    forecaster: Forecaster,
    threshold: Threshold,
    rules: Rules,
    luck: tuple[FloatArray, FloatArray],
    *,
    at_random: float | None = None,
) -> Walk:
    """Replay one person's moments.

    Parameters
    ----------
    at_random
        Ask with this probability instead of when unsure; None for when unsure.
    """
    steps: list[tuple[int, float, bool, bool, int, bool]] = []
    today, asked_today = 0, 0
    for beep, audit_luck, ask_luck in zip(diary.moments, *luck, strict=True):
        situation = beep.situation
        if situation.day > rules.last_day:
            break
        if situation.day != today:
            today, asked_today = situation.day, 0
        if beep.answer is None or beep.truth is None:
            forecaster.learn(situation, None)
            continue
        p = forecaster.predict(situation)
        limit = threshold(today) if at_random is None else 0.5 + float(ask_luck < at_random)
        choice = choose(
            max(p, 1.0 - p),
            limit,
            warming_up=today <= rules.warmup,
            u=float(audit_luck),
            audits=rules.audits,
            left_today=None if rules.budget is None else rules.budget - asked_today,
        )
        action = int(choice.action)
        asked_today += action == ASKED
        steps.append((today, p, beep.truth, beep.either, action, choice.audit))
        told = action == ASKED or rules.mode is Mode.FULL
        forecaster.learn(situation, beep.answer if told else None)
    return _walk(steps)


def _walk(steps: list[tuple[int, float, bool, bool, int, bool]]) -> Walk:
    columns = list(zip(*steps, strict=True)) if steps else [()] * 6
    return Walk(
        day=np.array(columns[0], dtype=np.int64),
        probability=np.array(columns[1], dtype=np.float64),
        truth=np.array(columns[2], dtype=np.bool_),
        either=np.array(columns[3], dtype=np.bool_),
        action=np.array(columns[4], dtype=np.int64),
        audit=np.array(columns[5], dtype=np.bool_),
    )
