"""What the page of an archive shows, collected from one reading unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, Look, Unit
from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.domain.consent import ConsentEvent, Scope
from tracker.domain.people import Person
from tracker.store import feedback, series, summaries
from tracker.store.feedback import CorrectionRow

MOST_POINTS = 600
"""Points of a drawn line: more would not be told apart on a screen."""

MOST_ROWS = 200
"""Corrections listed on the page; all of them are in the files."""

MOST_PICTURES = 120
"""Pictures shown on the page; all of them are in the files."""


@dataclass(frozen=True, slots=True)
class Line:
    """Means of one series: derived valence by instant."""

    name: str
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows."""

    person: Person
    now: datetime
    counts: Mapping[str, int]
    history: Sequence[ConsentEvent]
    lines: Sequence[Line]
    means: Mapping[str, Distribution]
    corrections: Sequence[CorrectionRow]
    notes: Sequence[tuple[datetime, str]]
    pictures: Sequence[str]
    looks: Sequence[Look]


def overview(
    access: Access,
    unit: Unit,
    counts: Mapping[str, int],
    notes: Sequence[tuple[datetime, str]],
    pictures: Sequence[str],
) -> Overview:
    """Collect what the page shows of the person of a unit.

    Parameters
    ----------
    access, unit
        The gate, and a reading unit.
    counts
        Rows by table.
    notes
        What the person wrote about which moments.
    pictures
        The files of their pictures.
    """
    since = unit.readable_from(Scope.AFFECT_SERIES)
    span = series.span(unit.connection, unit.person.subject, since)
    lines: list[Line] = []
    means: dict[str, Distribution] = {}
    corrections: list[CorrectionRow] = []
    if span is not None:
        first, last = span[0], span[1] + timedelta(microseconds=1)
        names = [summaries.MACHINE_SERIES, summaries.PERSONAL_SERIES]
        rows = summaries.read_summaries(
            unit.connection, unit.person.subject, first, last, names, horizons=unit.horizons()
        )
        lines, means = _lines(rows, first, last), _means(rows)
    ever = datetime.min.replace(tzinfo=unit.now.tzinfo)
    said = feedback.standing_corrections(
        unit.connection,
        unit.person.subject,
        ever,
        unit.now + timedelta(days=1),
        horizons=unit.horizons(),
        rated=True,
    )
    corrections = said[-MOST_ROWS:]
    return Overview(
        unit.person,
        unit.now,
        counts,
        unit.events,
        lines,
        means,
        corrections,
        notes[-MOST_ROWS:],
        pictures[-MOST_PICTURES:],
        access.looks(unit)[-MOST_ROWS:],
    )


def _lines(
    rows: Iterable[tuple[datetime, str, int, tuple[float, ...]]], first: datetime, last: datetime
) -> list[Line]:
    step = max(summaries.BUCKET, (last - first) / MOST_POINTS)
    sums: dict[str, dict[int, list[float]]] = {}
    for bucket, name, n, values in rows:
        slot = sums.setdefault(_called(name), {}).setdefault(int((bucket - first) / step), [0.0] * 9)
        slot[0] += n
        for i, value in enumerate(values, start=1):
            slot[i] += value
    return [
        Line(
            kind,
            tuple(
                (first + slot * step, derived_valence_arousal(Distribution.from_sequence(s[1:]))[0])
                for slot, s in sorted(slots.items())
                if s[0]
            ),
        )
        for kind, slots in sorted(sums.items(), reverse=True)
    ]


def _means(rows: Iterable[tuple[datetime, str, int, tuple[float, ...]]]) -> dict[str, Distribution]:
    sums: dict[str, list[float]] = {}
    for _, name, _, values in rows:
        total = sums.setdefault(_called(name), [0.0] * len(EMOTIONS))
        for i, value in enumerate(values):
            total[i] += value
    return {
        name: Distribution.from_sequence(s) for name, s in sorted(sums.items(), reverse=True) if sum(s) > 0
    }


def _called(series: str) -> str:
    return "your learner" if series == summaries.PERSONAL_SERIES else "the network"
