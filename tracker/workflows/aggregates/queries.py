"""What can be asked about all participants together: which figures, of which days, at what cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tracker.domain.affect import EMOTIONS
from tracker.workflows.aggregates.errors import AggregateError

DAYS = 28
"""Days of figures where no start is given: whole weeks, so that no weekday weighs more."""

MOST_PER_DAY = 200
"""Observations a day above which a person counts no further, unless a query says otherwise."""

PARTS = ("00-06", "06-12", "12-18", "18-24")
"""Parts of the day in hours of each participant's local time."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

EMOTION_CELLS = tuple(e.value for e in EMOTIONS)
_ALL = ("all",)
_MEAN = ("mean", "rest")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: a table of means over people.

    Attributes
    ----------
    name, meaning
        As a query names it, and one sentence for readers.
    rows, cells
        What the table's rows and columns are. Each person gives a row that sums to one, or nothing.
    low, high
        What the first cell's shares 0 and 1 stand for, where the figure is a number.
    target
        The target whose answers it is about; empty for other figures.
    """

    name: str
    meaning: str
    rows: tuple[str, ...] = _ALL
    cells: tuple[str, ...] = _MEAN
    low: float = 0.0
    high: float = 1.0
    target: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is a mean number, not a distribution over emotions."""
        return self.cells == _MEAN


_LOOKS = "What faces looked like to the networks: mean over people of each person's mean distribution"

DEFAULT_FIGURES = ("observations_per_day", "emotions", "leave_me_alone")
"""The figures of a query that names none: each further one leaves less of the ε to the others."""

_BUILT_IN = {
    "emotions": Figure("emotions", f"{_LOOKS}.", cells=EMOTION_CELLS),
    "emotions_by_part_of_day": Figure(
        "emotions_by_part_of_day", f"{_LOOKS}, by local time.", PARTS, EMOTION_CELLS
    ),
    "emotions_by_weekday": Figure(
        "emotions_by_weekday", f"{_LOOKS}, by local weekday.", WEEKDAYS, EMOTION_CELLS
    ),
}
_NUMBERS = ("valence", "arousal")
_OWN = re.compile(r"(yes_no|number):\S.{0,30}")


@dataclass(frozen=True, slots=True)
class Query:
    """A question about all participants together.

    Attributes
    ----------
    first, last
        The first and the last day (UTC), both included; over when the query is made.
    epsilon
        What the answer costs each person in it.
    figures
        Names, in the one order.
    most_per_day
        Observations a day above which a person counts no further: the noise grows with it.
    simulated
        Whether it is about SIMULATED people instead of real ones; never about both.
    """

    first: date
    last: date
    epsilon: float
    figures: tuple[str, ...] = DEFAULT_FIGURES
    most_per_day: int = MOST_PER_DAY
    simulated: bool = False

    @property
    def start(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    @property
    def days(self) -> int:
        """How many days it is about."""
        return (self.last - self.first).days + 1

    def described(self) -> list[Figure]:
        """Its figures."""
        return [figure_of(name, self.most_per_day) for name in self.figures]

    def as_json(self) -> dict[str, Any]:
        """As it is stored: the same values are the same query, which is answered once."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "epsilon": self.epsilon,
            "figures": list(self.figures),
            "most_per_day": self.most_per_day,
            "simulated": self.simulated,
        }


def query_for(
    now: datetime,
    epsilon: float,
    *,
    first: date | None = None,
    last: date | None = None,
    figures: Sequence[str] | None = None,
    most_per_day: int = MOST_PER_DAY,
    simulated: bool = False,
) -> Query:
    """Make a query, with defaults for what is not said.

    Parameters
    ----------
    now
        When it is made (UTC); figures are of days that are over, so that asking twice gives one answer.
    epsilon, most_per_day, simulated
        As in `Query`.
    first, last
        Days; default the four weeks up to yesterday.
    figures
        Names; default `DEFAULT_FIGURES`. None at all (an empty list) is the count of people alone.

    Raises
    ------
    AggregateError
        When days are in the wrong order or not over, or a figure is unknown.
    """
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    last = yesterday if last is None else last
    first = last - timedelta(days=DAYS - 1) if first is None else first
    if last > yesterday:
        raise AggregateError(f"{last} is not over yet; the last day of figures is at most {yesterday} (UTC)")
    if first > last:
        raise AggregateError(f"the first day, {first}, comes after the last, {last}")
    if not 1 <= most_per_day <= 86_400:
        raise AggregateError(f"the most observations a day to count are 1 to 86400, not {most_per_day}")
    names = tuple(sorted(set(DEFAULT_FIGURES if figures is None else figures)))
    for name in names:
        figure_of(name, most_per_day)
    return Query(first, last, float(epsilon), names, most_per_day, simulated)


def figure_of(name: str, most_per_day: int = MOST_PER_DAY) -> Figure:
    """The figure of a name.

    Examples
    --------
    >>> figure_of("emotions_by_weekday").rows[0], figure_of("valence").low, figure_of("yes_no:tired").low
    ('Monday', -1.0, 0.0)

    Raises
    ------
    AggregateError
        When there is none.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name == "observations_per_day":
        meaning = f"Mean over people of their observations a day, each counted up to {most_per_day}."
        return Figure(name, meaning, high=float(most_per_day))
    answers = f"Mean over people of each person's mean answer to {name}"
    if name in _NUMBERS or (_OWN.fullmatch(name) and name.startswith("number:")):
        return Figure(name, f"{answers}, from -1 to 1.", low=-1.0, target=name)
    if name == "leave_me_alone" or _OWN.fullmatch(name):
        return Figure(name, f"{answers}: 0 is no, 1 is yes.", target=name)
    known = ", ".join(("observations_per_day", *_BUILT_IN, "leave_me_alone", *_NUMBERS))
    raise AggregateError(f"there is no figure {name!r}; choose of {known}, yes_no:NAME, number:NAME")
