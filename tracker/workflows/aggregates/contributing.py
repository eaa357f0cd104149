"""One person's part in aggregate figures: one small table per figure, in which each row sums to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tracker.access import Unit
from tracker.domain.consent import Scope, Use
from tracker.store import aggregating
from tracker.workflows.aggregates.queries import EMOTION_CELLS, PARTS, WEEKDAYS, Figure, Query

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Starts:
    """From which instants on somebody's consent lets them be counted; a change meanwhile leaves them out.

    Attributes
    ----------
    series
        Their series and their unprompted words.
    prompts
        Their answers to prompts; None where these may not be used.
    """

    series: datetime
    prompts: datetime | None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a person gives to each figure."""

    starts: Starts
    tables: dict[str, Table]


def starts_of(unit: Unit) -> Starts | None:
    """What a person's consent allows to count, or None where it is nothing."""
    permit = unit.allowed(Use.AGGREGATE)
    if permit is None:
        return None
    prompted = unit.allowed(Use.PROMPT)
    return Starts(permit.covers_from, prompted.covers_from if prompted is not None else None)


def contribution(unit: Unit, query: Query) -> Contribution | None:
    """A person's part in the figures, or None where they are in none: then none depends on them."""
    starts = starts_of(unit)
    if starts is None or starts.series >= query.end:
        return None
    start = _latest(starts.series, query.start, unit.readable_from(Scope.AFFECT_SERIES))
    prompted = starts.prompts and _latest(starts.prompts, unit.readable_from(Scope.PROMPTS))
    observed = aggregating.observed(unit.connection, unit.person.subject, start, query.end)
    tables = {
        figure.name: _answers(unit, figure, start, query.end, prompted)
        for figure in query.described()
        if figure.target
    }
    if not observed and not any(table.any() for table in tables.values()):
        return None
    if "observations_per_day" in query.figures:
        share = min(1.0, observed / query.days / query.most_per_day)
        tables["observations_per_day"] = np.array([[share, 1 - share]])
    return Contribution(starts, tables | _emotions(unit, query, start))


def _latest(*instants: datetime | None) -> datetime:
    return max(instant for instant in instants if instant is not None)


def _answers(unit: Unit, figure: Figure, start: datetime, end: datetime, prompted: datetime | None) -> Table:
    mean = aggregating.mean_answer(
        unit.connection, unit.person.subject, figure.target, start, end, prompted_from=prompted
    )
    if mean is None:
        return np.zeros((1, 2))
    share = min(1.0, max(0.0, (mean - figure.low) / (figure.high - figure.low)))
    return np.array([[share, 1 - share]])


def _emotions(unit: Unit, query: Query, start: datetime) -> dict[str, Table]:
    wanted = {name: _ROWS[name] for name in query.figures if name in _ROWS}
    if not wanted:
        return {}
    # Zones change their offset on whole quarter hours, so each quarter hour has one local hour and weekday.
    zone = ZoneInfo(unit.person.zone)
    sums = {name: np.zeros((rows, len(EMOTION_CELLS))) for name, (rows, _) in wanted.items()}
    counts = {name: np.zeros((rows, 1)) for name, (rows, _) in wanted.items()}
    for at, n, total in aggregating.readings(unit.connection, unit.person.subject, start, query.end):
        local = at.astimezone(zone)
        for name, (_, row_of) in wanted.items():
            sums[name][row_of(local)] += total
            counts[name][row_of(local)] += n
    return {name: sums[name] / np.maximum(counts[name], 1) for name in wanted}


_ROWS: dict[str, tuple[int, Callable[[datetime], int]]] = {
    "emotions": (1, lambda local: 0),
    "emotions_by_part_of_day": (len(PARTS), lambda local: local.hour * len(PARTS) // 24),
    "emotions_by_weekday": (len(WEEKDAYS), lambda local: local.weekday()),
}
