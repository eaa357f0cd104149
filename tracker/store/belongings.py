"""Everything that is stored about one person: found by walking the tables, so none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, select

from tracker.store.tables import metadata, participants, subjects

BATCH = 2_000
"""Rows fetched at once."""


def personal_tables() -> list[Table]:
    """The tables that hold rows about people, those that others point to first."""
    return [table for table in metadata.sorted_tables if _mine(table, "", "") is not None]


def rows(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], participant: str, subject: str
) -> Iterator[Row[Any]]:
    """Stream a person's rows of a table in the order of its primary key."""
    query = (
        select(*columns)
        .where(_required(table, participant, subject))
        .order_by(*table.primary_key.columns)
        .execution_options(yield_per=BATCH)
    )
    yield from connection.execute(query)


def _required(table: Table, participant: str, subject: str) -> ColumnElement[bool]:
    condition = _mine(table, participant, subject)
    if condition is None:
        raise ValueError(f"the table {table.name} holds nothing about people")
    return condition


def _mine(table: Table, participant: str, subject: str) -> ColumnElement[bool] | None:
    """Which rows are a person's: by their id, by what the rows point to, by what points to them."""
    if (direct := _direct(table, participant, subject)) is not None:
        return direct
    for key in sorted(table.foreign_keys, key=lambda k: k.parent.name):
        there = _mine(key.column.table, participant, subject)
        if there is not None:
            return key.parent.in_(select(key.column).where(there))
    for other in metadata.sorted_tables:
        there = _direct(other, participant, subject)
        for key in other.foreign_keys:
            if there is not None and key.column.table is table:
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
