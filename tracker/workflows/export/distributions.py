"""What is in each column of a dataset: counted block by block while it is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from tracker.workflows.export.declaring import Column, Kind, Table

SHOWN = 12
"""How many values are listed with their counts before only their number is told."""

_COUNTED = 1000


@dataclass
class _Seen:
    missing: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    many: bool = False
    least: Any = None
    greatest: Any = None
    total: float = 0.0
    n: int = 0


class Distributions:
    """Counts, ranges and means of a table's columns.

    Parameters
    ----------
    table
        The declaration.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = 0
        self._seen = {c.name: _Seen() for c in table.columns}

    def add(self, block: Any) -> None:
        """Count an Arrow table with this table's columns."""
        self.rows += len(block)
        for column in self.table.columns:
            self._add(self._seen[column.name], column, block[column.name])

    def missing(self, name: str) -> int:
        """How many cells of a column are empty."""
        return self._seen[name].missing

    def text(self, column: Column) -> str:
        """The distribution of a column, for a reader."""
        seen = self._seen[column.name]
        if not seen.n:
            return "none"
        if column.key:
            return f"{seen.least} to {seen.greatest}"
        if column.kind is Kind.DATETIME:
            return f"{seen.least:%Y-%m-%d} to {seen.greatest:%Y-%m-%d}"
        if column.kind in (Kind.INTEGER, Kind.NUMBER):
            return f"{seen.least:.6g} to {seen.greatest:.6g}, mean {seen.total / seen.n:.6g}"
        if seen.many or len(seen.counts) > SHOWN:
            return f"{'more than ' if seen.many else ''}{len(seen.counts)} different values"
        return ", ".join(f"{value} {n}" for value, n in sorted(seen.counts.items()))

    def _add(self, seen: _Seen, column: Column, values: Any) -> None:
        seen.missing += values.null_count
        seen.n += len(values) - values.null_count
        if values.null_count == len(values):
            return
        if column.kind in (Kind.STRING, Kind.BOOLEAN):
            for entry in pc.value_counts(pc.drop_null(values)).to_pylist():
                value = str(entry["values"])
                if value in seen.counts or len(seen.counts) < _COUNTED:
                    seen.counts[value] += entry["counts"]
                else:
                    seen.many = True
            return
        ends = pc.min_max(values).as_py()
        seen.least = ends["min"] if seen.least is None else min(seen.least, ends["min"])
        seen.greatest = ends["max"] if seen.greatest is None else max(seen.greatest, ends["max"])
        if column.kind is not Kind.DATETIME:
            seen.total += pc.sum(values).as_py()
