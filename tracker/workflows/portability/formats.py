"""The formats of an archive's tables: JSON, CSV and Parquet, each written while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tracker.store.belongings import Kind
from tracker.workflows.portability.entries import Hashed
from tracker.workflows.portability.tables import Field, PersonalTable, Row

BLOCK = 2_000
"""Rows written between two breaths: a caller may stop, or send on what there is."""

GROUP = 20_000
"""Rows of a Parquet row group, which are held in memory."""


_ARROW = {
    Kind.INSTANT: pa.timestamp("us", "UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
}

Writer = Callable[[Hashed, PersonalTable], Iterator[int]]
"""Writes a table into a file; yields now and then how many rows are written."""


def write_json(file: Hashed, table: PersonalTable) -> Iterator[int]:
    """Write a JSON array, one object per line."""
    names = [field.name for field in table.fields]
    n = 0
    file.write(b"[")
    for row in table.each():
        file.write(b",\n" if n else b"\n")
        given = dict(zip(names, map(_plain, row), strict=True))
        file.write(json.dumps(given, ensure_ascii=False).encode())
        n += 1
        if n % BLOCK == 0:
            yield n
    file.write(b"\n]\n")
    yield n


def write_csv(file: Hashed, table: PersonalTable) -> Iterator[int]:
    """Write CSV with a header line; what has parts stands as JSON in its cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in table.fields])
    n = 0
    for row in table.each():
        writer.writerow([_cell(value) for value in row])
        n += 1
        if n % BLOCK == 0:
            _drain(text, file)
            yield n
    _drain(text, file)
    yield n


def write_parquet(file: Hashed, table: PersonalTable) -> Iterator[int]:
    """Write Parquet with times as times and numbers as numbers; what has parts stands as JSON."""
    schema = pa.schema([pa.field(f.name, _ARROW.get(f.kind, pa.string())) for f in table.fields])
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        n, waiting = 0, list[Row]()
        for row in table.each():
            waiting.append(row)
            n += 1
            if len(waiting) == GROUP:
                writer.write_batch(_batch(schema, table.fields, waiting))
                waiting = []
            if n % BLOCK == 0:
                yield n
        if waiting:
            writer.write_batch(_batch(schema, table.fields, waiting))
    yield n


WRITERS: Mapping[str, Writer] = {"json": write_json, "csv": write_csv, "parquet": write_parquet}
"""The formats of an archive, by the ending of their files."""


def _batch(schema: Any, fields: list[Field], rows: list[Row]) -> Any:
    columns = [
        pa.array([_in_parquet(value, field.kind) for value in values], schema.field(field.name).type)
        for field, values in zip(fields, zip(*rows, strict=True), strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _in_parquet(value: Any, kind: Kind) -> Any:
    if value is None or kind in _ARROW:
        return value
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if kind is Kind.JSON else plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes) else value


def _cell(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, dict | list) else plain


def _drain(text: io.StringIO, file: Hashed) -> None:
    file.write(text.getvalue().encode())
    text.seek(0)
    text.truncate()
