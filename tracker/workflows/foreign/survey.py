"""Read a file once before anything is stored: what it holds, what is refused, and in which order it is to be stored.

Of each row four numbers and its place are kept (40 bytes), and the row is read again when it is stored: a file of
millions of rows is never held in memory, and the order of its rows means nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS
from tracker.workflows.foreign import instants
from tracker.workflows.foreign.errors import ForeignFileError, Refused
from tracker.workflows.foreign.mapping import MappingFile
from tracker.workflows.foreign.report import Report
from tracker.workflows.foreign.rows import Reader, Row
from tracker.workflows.foreign.source import Source

CLASHES = "another row says something else of the same person and instant"
_EVERY = 1_000
"""Rows between two words on how far it is."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows of one person and instant, each once: where they begin, and on which lines."""

    offsets: tuple[int, ...]
    lines: tuple[int, ...]


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
                name or f"column {n + 1}" for n, name in enumerate(source.header) if n not in reader.taken
            ],
            unread=_unread(mapping),
            twice_taken=mapping.instant.ambiguous,
        )
        self._names: dict[str, int] = {}
        self._rows: array[int] = array("q")
        self._zones: dict[str, tuple[datetime, datetime]] = {}
        self._survey(report)
        self._groups: dict[str, list[_Group]] = {}
        self._sort()
        self._tell()

    @property
    def people(self) -> list[str]:
        """Whose rows are taken, sorted."""
        return sorted(self._groups)

    def zone_of(self, name: str) -> str:
        """The zone of a person's first row."""
        group = self._groups[name][0]
        return self._again(group, 0).zone

    def rows(self, name: str) -> Iterator[list[Row]]:
        """What is to be stored of a person, moment by moment in order of time: several rows where faces are."""
        for group in self._groups[name]:
            yield [self._again(group, n) for n in range(len(group.offsets))]

    def moments(self, name: str) -> int:
        """How many moments there are of a person."""
        return len(self._groups[name])

    def _again(self, group: _Group, n: int) -> Row:
        record = self._source.at(group.offsets[n], group.lines[n])
        try:
            return self._reader.read(record)
        except Refused:
            raise ForeignFileError(
                f"{self._source.name}, line {record.line}: the file has changed while it was read"
            ) from None

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

    def _sort(self) -> None:
        table: NDArray[np.int64] = np.frombuffer(self._rows, dtype=np.int64).reshape(-1, 5)
        if not len(table):
            return
        order = np.lexsort((table[:, 4], table[:, 2], table[:, 1], table[:, 0]))
        names = list(self._names)
        for (number, _), same in groupby(
            (table[n] for n in order), key=lambda row: (int(row[0]), int(row[1]))
        ):
            kept = list(same)
            once = {int(row[2]): row for row in reversed(kept)}
            self.found.repeated += len(kept) - len(once)
            rows = [once[content] for content in sorted(once)]
            lines = tuple(int(row[4]) for row in rows)
            if len(rows) > 1 and self._mapping.face is None:
                for line in (int(row[4]) for row in kept):
                    self.found.refuse(CLASHES, line)
                self.found.repeated -= len(kept) - len(once)
                continue
            group = _Group(tuple(int(row[3]) for row in rows), lines)
            self._groups.setdefault(names[number], []).append(group)
        self._rows = array("q")

    def _tell(self) -> None:
        found = self.found
        if not self._groups:
            why = max(found.refused.items(), key=lambda item: item[1].rows, default=None)
            if why is None:
                raise ForeignFileError(f"{found.file}: nothing in it says anything that the mapping takes")
            reason, rows = why
            where = f", column {rows.column!r}" if rows.column else ""
            value = f" ({rows.value!r})" if rows.value else ""
            raise ForeignFileError(
                f"{found.file}, line {rows.lines[0]}{where}: {reason}{value}; no row of {found.rows} can be taken in"
            )
        found.people = {name: sum(len(g.offsets) for g in groups) for name, groups in self._groups.items()}
        ends = list(self._zones.values())
        found.first, found.last = min(first for first, _ in ends), max(last for _, last in ends)
        for zone, (first, last) in sorted(self._zones.items()):
            found.moved += [(zone, at, by) for at, by in instants.transitions(zone, first, last)]


def _unread(mapping: MappingFile) -> list[str]:
    if mapping.estimate is None:
        return []
    return [emotion.value for emotion in EMOTIONS if emotion not in mapping.estimate.columns]
