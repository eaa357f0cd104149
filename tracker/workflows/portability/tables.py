"""One table of an archive: a person's rows, in three formats that other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tracker.access import Access, Unit
from tracker.domain.archives import PICTURES
from tracker.store import belongings
from tracker.store.belongings import Kind
from tracker.workflows.portability.entries import Hashed
from tracker.workflows.portability.opening import LEFT_OUT, OPENED, OTHER_RATER, opener

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

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row as it is given."""

    name: str
    kind: Kind


class PersonalTable:
    """A table's rows of one person, as they are given: opened, and without what is of others.

    Parameters
    ----------
    access, unit
        The gate, and a reading unit: all formats hold the same rows.
    name
        The table.
    """

    def __init__(self, access: Access, unit: Unit, name: str) -> None:
        self._unit = unit
        self._table = next(t for t in belongings.personal_tables() if t.name == name)
        self._columns = [c for c in self._table.columns if (name, c.name) not in LEFT_OUT]
        self._key = self._columns.index(next(iter(self._table.primary_key.columns)))
        self._openers = {
            i: opener(access, unit, OPENED[name, c.name])
            for i, c in enumerate(self._columns)
            if (name, c.name) in OPENED
        }
        self.name = name
        self.fields = [
            field
            for c in self._columns
            for field in (
                [Field(n, _kind_of_opened(n)) for n in OPENED[name, c.name].names]
                if (name, c.name) in OPENED
                else [Field(c.name, belongings.kind_of(c))]
            )
        ]

    def count(self) -> int:
        """How many rows there are."""
        person = self._unit.person
        return belongings.count(
            self._unit.connection, self._table, person.id, person.subject, self._unit.horizons()
        )

    def each(self) -> Iterator[Row]:
        """Stream the rows in the order of their key, one value per field; pictures by their file's name."""
        for row, _ in self._opened():
            yield row

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Stream the pictures, where this table holds any: the file's name, and its bytes."""
        if self.name == "crops":
            for row, plain in self._opened():
                yield row[self._names().index("file")], plain

    def _names(self) -> list[str]:
        return [field.name for field in self.fields]

    def _opened(self) -> Iterator[tuple[Row, bytes]]:
        person = self._unit.person
        rows = belongings.rows(
            self._unit.connection,
            self._table,
            self._columns,
            person.id,
            person.subject,
            self._unit.horizons(),
        )
        names = self._names()
        rater = names.index("rater") if "rater" in names else None
        observation = next((i for i, c in enumerate(self._columns) if c.name == "observation"), 0)
        for stored in rows:
            values: list[Any] = []
            plain = b""
            for i, value in enumerate(stored):
                if (read := self._openers.get(i)) is None:
                    values.append(value)
                    continue
                found = read(value, stored[self._key])
                if self.name == "crops":
                    plain = found[0]
                    found = (f"{PICTURES}{stored[observation]}.png",)
                values.extend(found)
            if rater is not None and values[rater] != "participant":
                values[rater] = OTHER_RATER
            yield tuple(values), plain


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


def _kind_of_opened(name: str) -> Kind:
    if name in ("grant", "position"):
        return Kind.INTEGER
    return Kind.JSON if name in ("notice", "row") else Kind.TEXT
