"""Small synthetic cohorts for the closed loop, with real learners and forecasters that spy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from tracker.lab.challenge.diaries import Beep, Cohort, Diary
from tracker.learning.situations import Answer, Situation

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PER_DAY = 4


def diary(person: str, seed: int, days: int = 14, *, either: float = 0.0, missing: float = 0.1) -> Diary:
    """Somebody who says yes when tense, more or less often; some of the answers are missing."""
    rng = np.random.default_rng(seed)
    bias, moments = rng.normal(0, 1.5), []
    for n in range(days * PER_DAY):
        day, slot = divmod(n, PER_DAY)
        at = START + timedelta(days=day, hours=3 * slot)
        tense, place = float(rng.normal()), str(rng.choice(["home", "work"]))
        situation = Situation(
            at, day + 1, float(at.hour), at.weekday(), None, {"tense": tense}, {"place": place}
        )
        yes = bool(rng.random() < 1 / (1 + np.exp(-(bias + 2.5 * tense))))
        fine, absent = bool(rng.random() < either), bool(rng.random() < missing)
        answer = None if absent else Answer(0.5 if fine else float(yes))
        moments.append(Beep(situation, answer, None if absent else yes, fine and not absent))
    return Diary(person, tuple(moments))


def cohort(people: int = 6, days: int = 14, *, either: float = 0.0, first_seed: int = 0) -> Cohort:
    """Several of them."""
    found = tuple(diary(f"p{i}", first_seed + i, days, either=either) for i in range(people))
    return Cohort(found, ("tense",), ("place",), "synthetic")


def changed_after(whole: Diary, day: int) -> Diary:
    """The same person, who answers the opposite from the next day on, also where nothing was answered."""

    def turn(beep: Beep) -> Beep:
        if beep.situation.day <= day:
            return beep
        truth = True if beep.truth is None else not beep.truth
        return replace(beep, answer=Answer(float(truth)), truth=truth, either=False)

    return replace(whole, moments=tuple(turn(beep) for beep in whole.moments))


class Spy:
    """Says what it is told to say, and remembers what it was shown and told."""

    def __init__(self, says: list[float] | float = 0.9) -> None:
        self.says = says
        self.shown: list[Situation] = []
        self.told: list[tuple[Situation, Answer | None]] = []

    def predict(self, situation: Situation) -> float:
        self.shown.append(situation)
        return self.says if isinstance(self.says, float) else self.says[len(self.shown) - 1]

    def learn(self, situation: Situation, answer: Answer | None) -> None:
        self.told.append((situation, answer))
