"""Read a file once before anything is stored: what it holds, what is refused, and in which order it is to be stored.

Of each row four numbers and its place are kept (40 bytes), and the row is read again when it is stored: a file of
millions of rows is never held in memory, and the order of its rows means nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS
from tracker.workflows.foreign import instants
from tracker.workflows.foreign.errors import ForeignFileError, Refused
from tracker.workflows.foreign.mapping import MappingFile
from tracker.workflows.foreign.report import Report
from tracker.workflows.foreign.rows import Reader, Row
from tracker.workflows.foreign.source import Source, shown

CLASHES = "another row says something else of the same person and instant"
_WHO, _AT, _CONTENT, _OFFSET, _LINE = range(5)
_EVERY = 1_000
"""Rows between two words on how far it is."""


class Survey:
    """A file that was read whole.

    Parameters
    ----------
    source, mapping, reader
        The file, what it is, and what reads its rows.
    now
        What lies after it cannot have happened (UTC).
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    ForeignFileError
        When it cannot be read, or nothing of it can be taken in.

    Attributes
    ----------
    found
        What it holds.
    """

    def __init__(
        self,
        source: Source,
        mapping: MappingFile,
        reader: Reader,
        report: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._source, self._mapping, self._reader = source, mapping, reader
        self.found = Report(
            source.name,
            source.sha256(),
            not_taken=[
                shown(name) or f"column {n + 1}"
                for n, name in enumerate(source.header)
                if n not in reader.taken
            ],
            unread=_unread(mapping),
            twice_taken=mapping.instant.ambiguous,
        )
        self._names: dict[str, int] = {}
        self._rows: array[int] = array("q")
        self._zones: dict[str, tuple[datetime, datetime]] = {}
        self._survey(report)
        self._spans: dict[str, tuple[int, int]] = {}
        self._kept, self._begins = self._sort()
        self._tell()

    @property
    def people(self) -> list[str]:
        """Whose rows are taken, sorted."""
        return sorted(self._spans)

    def zone_of(self, name: str) -> str:
        """The zone of a person's first row."""
        return self._again(int(self._begins[self._spans[name][0]])).zone

    def rows(self, name: str) -> Iterator[list[Row]]:
        """What is to be stored of a person, moment by moment in order of time: several rows where faces are."""
        for moment in range(*self._spans[name]):
            yield [self._again(n) for n in range(int(self._begins[moment]), int(self._begins[moment + 1]))]

    def moments(self, name: str) -> int:
        """How many moments there are of a person."""
        first, end = self._spans[name]
        return end - first

    def _again(self, n: int) -> Row:
        record = self._source.at(int(self._kept[n, _OFFSET]), int(self._kept[n, _LINE]))
        try:
            row = self._reader.read(record)
            same = (instants.microseconds(row.at), row.content) == tuple(
                self._kept[n, (_AT, _CONTENT)].tolist()
            )
        except Refused:
            same = False
        if not same:
            raise ForeignFileError(
                f"{self._source.name}, line {record.line}: the file has changed while it was read"
            )
        return row

    def _survey(self, report: Callable[[float], None]) -> None:
        found = self.found
        for record in self._source.records():
            found.rows += 1
            if found.rows % _EVERY == 0:
                report(record.offset / max(1, self._source.bytes))
            try:
                row = self._reader.read(record)
            except Refused as refused:
                found.refuse(refused.reason, record.line, refused.column, refused.value)
                continue
            if not row.says_something:
                found.silent += 1
                continue
            found.twice += row.twice
            first, last = self._zones.get(row.zone, (row.at, row.at))
            self._zones[row.zone] = (min(first, row.at), max(last, row.at))
            number = self._names.setdefault(row.who, len(self._names))
            at = instants.microseconds(row.at)
            self._rows.extend((number, at, row.content, record.offset, record.line))
        report(1.0)

    def _sort(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that are stored, each once, by person and instant; and where in them each moment begins."""
        table: NDArray[np.int64] = np.frombuffer(self._rows, dtype=np.int64).reshape(-1, 5)
        table = table[np.lexsort((table[:, _LINE], table[:, _CONTENT], table[:, _AT], table[:, _WHO]))]
        self._rows = array("q")
        begins = _changes(table, (_WHO, _AT))
        fresh = _changes(table, (_WHO, _AT, _CONTENT))
        moment = np.cumsum(begins) - 1
        alone = np.bincount(moment, weights=fresh) <= 1
        kept = alone[moment] if self._mapping.face is None else np.ones(len(table), dtype=np.bool_)
        for line in table[~kept, _LINE]:
            self.found.refuse(CLASHES, int(line))
        self.found.repeated = int(np.count_nonzero(kept & ~fresh))
        rows = table[kept & fresh]
        starts = np.append(np.flatnonzero(_changes(rows, (_WHO, _AT))), len(rows))
        whose = rows[starts[:-1], _WHO]
        for number, name in enumerate(self._names):
            first, end = np.searchsorted(whose, (number, number + 1))
            if end > first:
                self._spans[name] = (int(first), int(end))
                self.found.people[name] = int(starts[end] - starts[first])
        return rows, starts

    def _tell(self) -> None:
        found = self.found
        if not self._spans:
            why = max(found.refused.items(), key=lambda item: item[1].rows, default=None)
            if why is None:
                raise ForeignFileError(f"{found.file}: nothing in it says anything that the mapping takes")
            reason, rows = why
            where = f", column {rows.column!r}" if rows.column else ""
            value = f" ({rows.value!r})" if rows.value else ""
            raise ForeignFileError(
                f"{found.file}, line {rows.lines[0]}{where}: {reason}{value}; no row of {found.rows} can be taken in"
            )
        ends = list(self._zones.values())
        found.first, found.last = min(first for first, _ in ends), max(last for _, last in ends)
        for zone, (first, last) in sorted(self._zones.items()):
            found.moved += [(zone, at, by) for at, by in instants.transitions(zone, first, last)]


def _changes(table: NDArray[np.int64], columns: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which rows differ in any of some columns from the one before."""
    found = np.ones(len(table), dtype=np.bool_)
    if len(table):
        found[1:] = (table[1:, columns] != table[:-1, columns]).any(axis=1)
    return found


def _unread(mapping: MappingFile) -> list[str]:
    if mapping.estimate is None:
        return []
    return [emotion.value for emotion in EMOTIONS if emotion not in mapping.estimate.columns]
