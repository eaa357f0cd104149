"""Write one table to Parquet and CSV at once, in blocks of a fixed size, hashing what goes to the disk.

Blocks do not depend on how rows arrived, and neither format is given a time or a machine's name, so the
same rows make the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from tracker.workflows.export.declaring import Kind, Table
from tracker.workflows.export.distributions import Distributions

BLOCK = 65_536
"""Rows of a Parquet row group, and of what is held in memory before it is written."""

FORMATS = ("parquet", "csv")

_ARROW = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.STRING: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATETIME: pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it lies on the disk."""

    name: str
    size: int
    sha256: str


class HashedFile:
    """A binary file that is hashed while it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("xb")
        self._digest = hashlib.sha256()
        self._size = 0
        self._abandoned = False
        self.closed = False

    def write(self, data: Any) -> int:
        """Write bytes-like data."""
        if self._abandoned:
            return len(data)
        self._digest.update(data)
        self._size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if not self._abandoned:
            self._file.flush()

    def close(self) -> None:
        """Close the file, once it is on the disk."""
        if not (self.closed or self._abandoned):
            self.closed = True
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; what a writer still says at its own end goes nowhere."""
        self._abandoned = True
        with suppress(OSError):  # on a full disk the last bytes do not fit even now
            self._file.close()

    def written(self) -> Written:
        """What was written; closes the file."""
        self.close()
        return Written(self._path.name, self._size, self._digest.hexdigest())


def schema(table: Table) -> Any:
    """The Arrow schema of a table; each field carries its meaning and unit."""
    return pa.schema(
        [
            pa.field(
                c.name,
                _ARROW[c.kind],
                nullable=bool(c.missing),
                metadata={"meaning": c.meaning, **({"unit": c.unit} if c.unit else {})},
            )
            for c in table.columns
        ],
        metadata={"table": table.name, "meaning": table.meaning},
    )


class TableWriter:
    """Writes one table in every wanted format, and counts what it writes.

    Parameters
    ----------
    folder
        Where ``<table>.parquet`` and ``<table>.csv`` are made.
    table
        The declaration.
    formats
        Of `FORMATS`.
    """

    def __init__(self, folder: Path, table: Table, formats: frozenset[str]) -> None:
        self.table = table
        self.rows = 0
        self.distributions = Distributions(table)
        self._schema = schema(table)
        self._files = {f: HashedFile(folder / f"{table.name}.{f}") for f in FORMATS if f in formats}
        self._writers: dict[str, Any] = {}
        for name, file in self._files.items():
            self._writers[name] = (
                pa.parquet.ParquetWriter(file, self._schema, compression="zstd")
                if name == "parquet"
                else pa.csv.CSVWriter(file, _csv_schema(self._schema))
            )
        self._waiting: list[Any] = []
        self._n_waiting = 0

    def write(self, columns: list[Any]) -> None:
        """Write rows, given as one Arrow array per column."""
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self.rows += len(batch)
        self._waiting.append(batch)
        self._n_waiting += len(batch)
        if self._n_waiting >= BLOCK:
            self._write_blocks(whole=False)

    def close(self) -> list[Written]:
        """Write what waits, close every file, and return what was written."""
        self._write_blocks(whole=True)
        for writer in self._writers.values():
            writer.close()
        return [file.written() for file in self._files.values()]

    def abandon(self) -> None:
        """Close the files without finishing them."""
        for file in self._files.values():
            file.abandon()

    def _write_blocks(self, *, whole: bool) -> None:
        waiting = pa.Table.from_batches(self._waiting, schema=self._schema)
        while len(waiting) >= BLOCK or (whole and len(waiting)):
            block = waiting.slice(0, BLOCK).combine_chunks()
            waiting = waiting.slice(BLOCK)
            self.distributions.add(block)
            for name, writer in self._writers.items():
                writer.write_table(_as_text(block) if name == "csv" else block)
        self._waiting, self._n_waiting = waiting.to_batches(), len(waiting)


def _csv_schema(of: Any) -> Any:
    return pa.schema([pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in of])


def _as_text(block: Any) -> Any:
    """Instants as ISO 8601 in UTC, such as 2026-03-20T12:00:00.000000Z; the rest as it is."""
    columns = [
        pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(column.type) else column
        for column in block.columns
    ]
    return pa.Table.from_arrays(columns, schema=_csv_schema(block.schema))
