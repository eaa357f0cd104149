"""Stream a query's rows as plain numbers and texts, in batches of a fixed size.

Instants arrive as microseconds since 1970 UTC, because building a datetime for each of millions of rows
would take longer than everything else.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    cast,
    extract,
    select,
    type_coerce,
)

from tracker.store.types import Instant

BATCH = 16_384
"""Rows fetched at once: a few megabytes, so memory does not grow with the series."""

Rows = Sequence[Any]


def columns_of(connection: Connection, table: Table, names: Sequence[str]) -> Select[Any]:
    """A query of some columns, each as a plain number or text."""
    return select(*(plain(connection, table.c[name]) for name in names))


def plain(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """A column without its type's work per row: instants as microseconds."""
    if not isinstance(column.type, Instant):
        return column
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", column) * 1_000_000, BigInteger)
    return type_coerce(column, BigInteger)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Make many small objects without Python's collector walking over all of them every 700.

    What is made is no part of any cycle. Pauses are as short as one batch, for they hold for the whole process.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def stream(connection: Connection, query: Select[Any]) -> Iterator[Rows]:
    """Run a query; give its rows in batches, however many there are."""
    if connection.dialect.name != "sqlite" or any(isinstance(c.type, JSON) for c in query.selected_columns):
        # On PostgreSQL this is a cursor of the server's, so that memory does not grow with the series.
        yield from connection.execute(query.execution_options(yield_per=BATCH)).partitions()
        return
    # SQLite's own tuples: making a row object of each would cost as much as reading it.
    result = connection.execute(query)
    cursor: Any = result.cursor
    try:
        while True:
            with collector_paused():
                rows = cursor.fetchmany(BATCH)
            if not rows:
                break
            yield rows
    finally:
        result.close()
