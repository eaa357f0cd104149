"""SIMULATED people who say how much they want to be left alone, for a question that no real data answer:

how much would it add if a study recorded the context with each answer, and asked with three buttons?
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from tracker.lab.challenge.diaries import Beep, Cohort, Diary
from tracker.learning.situations import Answer, Situation

MARK = "SIMULATED"

PLACES = ("home", "work", "street", "cafe")
COMPANY = ("alone", "partner", "colleagues", "friends")
SLIDERS = ("tired", "tense", "content")

CUT = 50.0
EITHER = (35.0, 65.0)
"""Answers between these are "either is fine", as the third button says in the app."""

_HOURS = (9.5, 12.0, 15.0, 18.0, 21.0)
_START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """What moves a simulated wish to be left alone, in standard deviations of it between moments.

    Parameters
    ----------
    people, days
        How many, how long; five prompts a day.
    sliders
        Share of a moment's wish that the three sliders tell.
    context
        Share that place and company tell; half of it is common to all people.
    hidden
        Share that nobody records and that lasts about a day.
    report_noise
        Standard deviation of one report, in points of 100: in real diaries 7 to 10 between twin moments.
    """

    people: int = 40
    days: int = 30
    sliders: float = 0.5
    context: float = 0.6
    hidden: float = 0.8
    report_noise: float = 8.0


def simulate(world: World, seed: int, *, context: bool, three_buttons: bool) -> Cohort:
    """Live the diaries; the same seed lives the same lives, whatever of them is recorded.

    Parameters
    ----------
    context
        Whether place and company are recorded with each answer.
    three_buttons
        Whether answers near the middle are given as "either is fine"; else they fall on a side.

    Examples
    --------
    >>> cohort = simulate(World(people=2, days=3), 1, context=True, three_buttons=False)
    >>> len(cohort.people), len(cohort.people[0].moments), cohort.words
    (2, 15, ('place', 'company'))
    """
    common = np.random.default_rng([seed, 0])
    place_means, company_means = common.normal(0, 1, len(PLACES)), common.normal(0, 1, len(COMPANY))
    diaries = []
    for i in range(world.people):
        rng = np.random.default_rng([seed, 1, i])
        own = rng.normal(0, 1, len(PLACES)), rng.normal(0, 1, len(COMPANY))
        effects = (place_means + own[0]) / 2**0.5, (company_means + own[1]) / 2**0.5
        diaries.append(Diary(f"s{i:03d}", _live(rng, world, effects), CUT))
    cohort = Cohort(
        tuple(diaries), SLIDERS, ("place", "company"), f"{MARK} cohort", (0.0, 100.0), notes=(_note(world),)
    )
    if not three_buttons:
        cohort = replace(cohort, people=tuple(_two_buttons(diary) for diary in cohort.people))
    return cohort if context else cohort.with_features(SLIDERS, ())


def _note(world: World) -> str:
    return f"{MARK}: {world.people} invented people, {world.days} days"


def _live(
    rng: np.random.Generator, world: World, effects: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
) -> tuple[Beep, ...]:
    level = rng.normal(0, 1.1)
    weights = np.array([0.5, 0.6, -0.6]) + rng.normal(0, 0.35, 3)
    habits = rng.dirichlet(np.full(len(PLACES), 1.2)), rng.dirichlet(np.full(len(COMPANY), 1.2))
    mood, hidden = rng.normal(0, 1, 3), rng.normal(0, 1)
    beeps = []
    for day in range(1, world.days + 1):
        for slot, hour in enumerate(_HOURS, start=1):
            mood = 0.6 * mood + 0.8 * rng.normal(0, 1, 3)
            hidden = 0.8 * hidden + 0.6 * rng.normal(0, 1)
            place, company = rng.choice(len(PLACES), p=habits[0]), rng.choice(len(COMPANY), p=habits[1])
            wish = (
                level
                + world.sliders * float(weights @ mood)
                + world.context * float(effects[0][place] + effects[1][company])
                + world.hidden * hidden
            )
            report = float(np.clip(46 + 22 * wish + rng.normal(0, world.report_noise), 0, 100))
            situation = Situation(
                at=_START + timedelta(days=day - 1, hours=hour),
                day=day,
                hour=hour,
                weekday=(day - 1) % 7,
                slot=slot,
                numbers=dict(zip(SLIDERS, np.clip(50 + 20 * mood, 0, 100).tolist(), strict=True)),
                words={"place": PLACES[place], "company": COMPANY[company]},
            )
            either = EITHER[0] <= report <= EITHER[1]
            share = 0.5 if either else float(report > CUT)
            beeps.append(Beep(situation, Answer(share, report), report > CUT, either))
    return tuple(beeps)


def _two_buttons(diary: Diary) -> Diary:
    return replace(
        diary,
        moments=tuple(
            replace(b, answer=Answer(float(bool(b.truth)), b.answer.graded), either=False) if b.answer else b
            for b in diary.moments
        ),
    )
