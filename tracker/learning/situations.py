"""What is known at a moment before anybody answers, and what is answered: the values that learners see.

The same two values serve a person's live learner and the replay of a diary, so that what is measured there is what
runs here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tracker.domain.instants import require_instant


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment as it is known before its answer.

    Parameters
    ----------
    at
        The instant.
    day
        Day of the person's participation, from 1.
    hour
        Local time of day in hours, [0, 24); None where the clock is not known.
    weekday
        0 is Monday; None where the calendar is not known.
    slot
        Which prompt of the day this is, from 1; None where prompts are not numbered.
    numbers
        Readings by name, finite; what is missing is absent.
    words
        Categories by name (place, activity, company); what is missing is absent.

    Raises
    ------
    ValueError
        For a number that is not finite, or an hour or weekday that is none.
    """

    at: datetime
    day: int
    hour: float | None = None
    weekday: int | None = None
    slot: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_instant(self.at)
        if self.hour is not None and not 0.0 <= self.hour < 24.0:
            raise ValueError(f"local hour {self.hour} is not in [0, 24)")
        if self.weekday is not None and self.weekday not in range(7):
            raise ValueError(f"weekday {self.weekday} is not 0 (Monday) to 6 (Sunday)")
        for name, value in self.numbers.items():
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}: leave out what is missing")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about a moment.

    Parameters
    ----------
    share
        1 for yes (wants to be left alone), 0 for no, 0.5 for "either is fine".
    graded
        The answer on its own scale, where it has one (a slider); None for a plain button.
    weight
        How much it counts, in (0, 1] (`tracker.learning.weights`).
    """

    share: float
    graded: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"an answer's share {self.share} is not in [0, 1]")
        if not 0.0 < self.weight <= 1.0:
            raise ValueError(f"an answer's weight {self.weight} is not in (0, 1]")
        if self.graded is not None and not math.isfinite(self.graded):
            raise ValueError(f"a graded answer of {self.graded} is no number")
