"""Everything that is stored about one person: found by walking the tables, so none is forgotten."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    func,
    select,
)

from tracker.store.ageing import NOTHING_AGES, Horizons, readable
from tracker.store.tables import members, metadata, participants, subjects
from tracker.store.types import Instant

BATCH = 2_000
"""Rows fetched at once."""

FEW = 100
"""Rows fetched at once where each may hold a picture: thousands of them would be a hundred megabytes."""


class Kind(StrEnum):
    """What a column holds, in words that files outside the database know too."""

    INSTANT = "instant"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    JSON = "json"
    BYTES = "bytes"


_KINDS = (
    (Instant, Kind.INSTANT),
    (Boolean, Kind.BOOLEAN),
    (Integer, Kind.INTEGER),
    (Double, Kind.NUMBER),
    (JSON, Kind.JSON),
    (LargeBinary, Kind.BYTES),
    (String, Kind.TEXT),
)


def kind_of(column: Column[Any]) -> Kind:
    """What a column holds."""
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"{column.table.name}.{column.name} is of a type that no archive knows: {column.type!r}")


@functools.cache
def personal_tables() -> tuple[Table, ...]:
    """The tables that hold rows about people, those that others point to first."""
    return tuple(table for table in _tables() if _mine(table, "", "") is not None)


@functools.cache
def _tables() -> tuple[Table, ...]:
    """All tables in order; an archive asks for it a thousand times, and sorting them takes milliseconds."""
    return tuple(metadata.sorted_tables)


def rows(
    connection: Connection,
    table: Table,
    columns: Sequence[Column[Any]],
    participant: str,
    subject: str,
    horizons: Horizons = NOTHING_AGES,
) -> Iterator[Row[Any]]:
    """Stream a person's rows of a table in the order of its primary key, without those past their retention."""
    keys = tuple(table.primary_key.columns)
    mine = (_required(table, participant, subject), readable(table, horizons))
    if len(keys) == 1 and any(isinstance(column.type, LargeBinary) for column in columns):
        # A database that sorts whole rows would hold every picture at once; so the keys are put in order alone.
        numbers = connection.execute(select(*keys).where(*mine).order_by(*keys)).scalars().all()
        for i in range(0, len(numbers), FEW):
            some = keys[0].in_(numbers[i : i + FEW])
            yield from connection.execute(select(*columns).where(some).order_by(*keys))
        return
    query = select(*columns).where(*mine).order_by(*keys)
    yield from connection.execute(query.execution_options(yield_per=BATCH))


def count(
    connection: Connection,
    table: Table,
    participant: str,
    subject: str,
    horizons: Horizons = NOTHING_AGES,
) -> int:
    """How many rows of a table are a person's, without those past their retention."""
    mine = _required(table, participant, subject)
    query = select(func.count()).select_from(table).where(mine, readable(table, horizons))
    found: int = connection.execute(query).scalar_one()
    return found


def _required(table: Table, participant: str, subject: str) -> ColumnElement[bool]:
    condition = _mine(table, participant, subject)
    if condition is None:
        raise ValueError(f"the table {table.name} holds nothing about people")
    return condition


def _mine(table: Table, participant: str, subject: str) -> ColumnElement[bool] | None:
    """Which rows are a person's: by their id, by what the rows point to, by what points to them."""
    if table is members:  # the staff's, though a table that knows both points there
        return None
    if (direct := _direct(table, participant, subject)) is not None:
        return direct
    for key in sorted(table.foreign_keys, key=lambda k: k.parent.name):
        there = _mine(key.column.table, participant, subject)
        if there is not None:
            return key.parent.in_(select(key.column).where(there))
    for other in _tables():
        for key in other.foreign_keys:
            if key.column.table is not table:
                continue
            if (there := _direct(other, participant, subject)) is not None:
                return key.column.in_(select(key.parent).where(there))
    return None


def _direct(table: Table, participant: str, subject: str) -> ColumnElement[bool] | None:
    if table is participants:
        return table.c.id == participant
    if table is subjects:
        return table.c.id == subject
    if "participant" in table.c:
        return table.c.participant == participant
    return table.c.subject == subject if "subject" in table.c else None
