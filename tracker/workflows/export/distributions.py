"""What is in each column of a dataset: counted block by block while it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow.compute as pc

from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.errors import UncodableError

SHOWN = 12
"""How many values are listed with their counts before only their number is told."""

BARS = 10
"""Into how many equal parts a column with bounds is counted."""

_COUNTED = 1000
_ROUNDED = 1e-9
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass
class _Seen:
    missing: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    many: bool = False
    least: Any = None
    greatest: Any = None
    total: float = 0.0
    n: int = 0
    bars: list[int] = field(default_factory=list)


class Distributions:
    """Counts, ranges and means of a table's columns.

    Parameters
    ----------
    table
        The declaration.
    left
        What an earlier run had counted, as `state` told.
    """

    def __init__(self, table: Table, left: Mapping[str, Any] | None = None) -> None:
        self.table = table
        self.rows = left["rows"] if left else 0
        self._seen = {c.name: _back(c, left["seen"][c.name]) if left else _Seen() for c in table.columns}

    def add(self, block: Any) -> None:
        """Count an Arrow table with this table's columns."""
        self.rows += len(block)
        for column in self.table.columns:
            self._add(self._seen[column.name], column, block[column.name])

    def state(self) -> dict[str, Any]:
        """What was counted so far, as JSON."""
        return {"rows": self.rows, "seen": {name: _state(seen) for name, seen in self._seen.items()}}

    def missing(self, name: str) -> int:
        """How many cells of a column are empty."""
        return self._seen[name].missing

    def bars(self, column: Column) -> list[int]:
        """How many values lie in each tenth of a column's bounds; empty where it has none."""
        return self._seen[column.name].bars

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
            told = f"{seen.least:.6g} to {seen.greatest:.6g}, mean {seen.total / seen.n:.6g}"
            return f"{told}, {_drawn(seen.bars)}" if seen.bars else told
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
                if column.levels and value not in column.levels:
                    raise UncodableError(self.table.name, column.name, value)
                if value in seen.counts or len(seen.counts) < _COUNTED:
                    seen.counts[value] += entry["counts"]
                else:
                    seen.many = True
            return
        ends = pc.min_max(values).as_py()
        if column.bounds is not None:
            for end in ends.values():
                # Probabilities are stored rounded: half a unit in the last place is nothing wrong.
                if not column.bounds[0] - _ROUNDED <= end <= column.bounds[1] + _ROUNDED:
                    raise UncodableError(self.table.name, column.name, end)
        seen.least = ends["min"] if seen.least is None else min(seen.least, ends["min"])
        seen.greatest = ends["max"] if seen.greatest is None else max(seen.greatest, ends["max"])
        if column.kind is not Kind.DATETIME:
            seen.total += pc.sum(values).as_py()
        if column.bounds is not None and column.kind is Kind.NUMBER:
            low, high = column.bounds
            share = (np.asarray(pc.drop_null(values)) - low) * (BARS / (high - low))
            found = np.bincount(np.clip(share, 0, BARS - 1).astype(np.int8), minlength=BARS)
            seen.bars = [a + int(b) for a, b in zip(seen.bars or [0] * BARS, found, strict=True)]


def _drawn(bars: list[int]) -> str:
    """Bars as characters: the highest is full, and only nothing is a point."""
    top = max(bars)
    return "".join(_BLOCKS[(n * len(_BLOCKS) - 1) // top] if n else "." for n in bars)


def _state(seen: _Seen) -> dict[str, Any]:
    # Not asdict: it makes a Counter of pairs of a Counter.
    told = {f.name: getattr(seen, f.name) for f in fields(seen)} | {"counts": dict(seen.counts)}
    for name in ("least", "greatest"):
        if isinstance(told[name], datetime):
            told[name] = told[name].isoformat()
    return told


def _back(column: Column, told: Mapping[str, Any]) -> _Seen:
    seen = _Seen(**{**told, "counts": Counter(told["counts"])})
    if column.kind is Kind.DATETIME and seen.least is not None:
        seen.least, seen.greatest = (datetime.fromisoformat(v) for v in (seen.least, seen.greatest))
    return seen
