"""Write one table to Parquet and CSV at once, in blocks of a fixed size, hashing what goes to the disk.

Parquet lies in one file for each participant and month (UTC),
``observations/participant=p…/month=2026-03/rows.parquet``, as programs that read Hive partitions expect it. Blocks end
with a partition and do not depend on how rows arrived, and neither format is given a time or a machine's name, so the
same rows make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from tracker.workflows.export.arrow import MONTH, PERSON, part_schema, schema
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.distributions import Distributions
from tracker.workflows.export.hashed import HashedFile, Written

BLOCK = 65_536
"""Rows of a Parquet row group, and of what is held in memory before it is written."""

FORMATS = ("parquet", "csv", "openesm")


def part_name(table: Table, person: str, month: str) -> str:
    """Where the rows of one participant and month lie."""
    return f"{table.name}/{PERSON}={person}/{MONTH}={month}/rows.parquet"


class TableWriter:
    """Writes one table in every wanted format, and counts what it writes.

    Parameters
    ----------
    folder
        Where ``<table>.csv`` and the folder ``<table>`` (``<table>.parquet`` where it has no partitions) are made.
    table
        The declaration.
    formats
        Of `FORMATS`; the third is made by another writer.
    left
        Where an earlier run left it, as `state` told; None to begin.
    """

    def __init__(
        self, folder: Path, table: Table, formats: frozenset[str], left: Mapping[str, Any] | None = None
    ) -> None:
        self.table = table
        self.rows = left["rows"] if left else 0
        self.distributions = Distributions(table, left["distributions"] if left else None)
        self.parts: list[Written] = []
        self._folder, self._parquet = folder, "parquet" in formats
        self._schema, self._part_schema = schema(table), part_schema(table)
        self._csv_file = self._csv = None
        if "csv" in formats:
            kept = left["csv"] if left else 0
            self._csv_file = HashedFile(folder, f"{table.name}.csv", kept)
            options = pa.csv.WriteOptions(include_header=not kept)
            self._csv = pa.csv.CSVWriter(self._csv_file, text_schema(self._schema), write_options=options)
        self._part_file: HashedFile | None = None
        self._part: Any = None
        self._month, self._person = "", ""
        self._waiting: list[Any] = []
        self._n_waiting = 0

    def begin(self, person: str) -> None:
        """Rows of this participant come next."""
        self.end()
        self._person = person

    def write(self, columns: Sequence[Any]) -> None:
        """Write rows, given as one Arrow array per column, in order of their moments."""
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self.rows += len(batch)
        for month, rows in self._by_month(batch):
            if month != self._month:
                self.end()
                self._month = month
            self._waiting.append(rows)
            self._n_waiting += len(rows)
            if self._n_waiting >= BLOCK:
                self._write_blocks(whole=False)

    def end(self) -> None:
        """Write what waits, and close the partition."""
        self._write_blocks(whole=True)
        if self._part is not None and self._part_file is not None:
            self._part.close()
            self.parts.append(self._part_file.written())
        self._part = self._part_file = None
        self._month = ""

    def state(self) -> dict[str, Any]:
        """Where it stands between two participants, as JSON; everything up to here is on the disk."""
        if self._csv_file is not None:
            self._csv_file.sync()
        size = self._csv_file.size if self._csv_file is not None else 0
        return {"rows": self.rows, "csv": size, "distributions": self.distributions.state()}

    def close(self) -> list[Written]:
        """Write what waits, close every file, and return what was written since the writer was made."""
        if self._parquet and not self.table.moment:
            self._open_part()
        self.end()
        if self._csv is None or self._csv_file is None:
            return self.parts
        self._csv.close()
        return [*self.parts, self._csv_file.written()]

    def abandon(self) -> None:
        """Close the files without finishing them."""
        for file in (self._csv_file, self._part_file):
            if file is not None:
                file.abandon()

    def _by_month(self, batch: Any) -> Iterator[tuple[str, Any]]:
        if not self.table.moment or not len(batch):
            yield "", batch
            return
        at = batch.column(batch.schema.get_field_index(self.table.moment))
        months = np.asarray(at.cast(pa.int64())).astype("datetime64[us]").astype("datetime64[M]")
        starts = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), len(months)]
        for start, end in pairwise(starts):
            yield str(months[start]), batch.slice(start, end - start)

    def _write_blocks(self, *, whole: bool) -> None:
        if not self._n_waiting:
            return
        waiting = pa.Table.from_batches(self._waiting, schema=self._schema)
        while len(waiting) >= BLOCK or (whole and len(waiting)):
            block = waiting.slice(0, BLOCK).combine_chunks()
            waiting = waiting.slice(BLOCK)
            self.distributions.add(block)
            if self._csv is not None:
                self._csv.write_table(as_text(block))
            if self._parquet:
                self._open_part()
                self._part.write_table(block.select(self._part_schema.names), row_group_size=BLOCK)
        self._waiting, self._n_waiting = waiting.to_batches(), len(waiting)

    def _open_part(self) -> None:
        if self._part is not None:
            return
        name = f"{self.table.name}.parquet"
        if self.table.moment:
            name = part_name(self.table, self._person, self._month)
        self._part_file = HashedFile(self._folder, name)
        self._part = pa.parquet.ParquetWriter(self._part_file, self._part_schema, compression="zstd")


def text_schema(of: Any) -> Any:
    """The schema of a text file: instants are texts in it."""
    return pa.schema([pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in of])


def as_text(block: Any) -> Any:
    """Instants as ISO 8601 in UTC, such as 2026-03-20T12:00:00.000000Z; the rest as it is."""
    columns = [
        pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(column.type) else column
        for column in block.columns
    ]
    return pa.Table.from_arrays(columns, schema=text_schema(block.schema))
