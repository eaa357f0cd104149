"""Queries that delete what rests on one scope, copies included, and that look afterwards.

Which tables those are is declared in the data map and handed in; which rows of them follows from the foreign keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, not_, or_, select, update

from tracker.domain.series import MACHINE
from tracker.store.erasing import count, owned
from tracker.store.tables import estimates, metadata


@dataclass(frozen=True, slots=True)
class Extent:
    """Which of a person's rows of a table go.

    Attributes
    ----------
    marks
        Columns: the rows in which one of them holds something. Empty: all rows.
    unless
        Columns: but for the rows in which one of them holds something, which rest on another scope.
    """

    marks: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


Extents = Mapping[str, Extent]
"""What goes with a scope, by table."""


def delete_extents(
    connection: Connection, subject: str, participant: str, extents: Extents
) -> dict[str, int]:
    """Delete rows, children first, and those that cannot stand without them; return how many by table.

    A row that can stand without what it points to stays and points to nothing; one that had replaced a row that
    goes replaces what that one had replaced.
    """
    rows = conditions(subject, participant, extents)
    return delete_rows(connection, owned(subject, participant), rows)


def delete_rows(
    connection: Connection,
    mine: Mapping[Table, ColumnElement[bool]],
    rows: Mapping[Table, ColumnElement[bool]],
) -> dict[str, int]:
    """Delete rows as `delete_extents` does.

    Parameters
    ----------
    mine
        The condition of everything that is the person's, by table.
    rows
        The condition of what goes, from `with_dependents`.
    """
    counts: dict[str, int] = {}
    for table, gone in rows.items():
        _let_go(connection, table, gone)
        own = next((k for k in table.foreign_keys if k.column.table is table), None)
        if own is None:
            counts[table.name] = connection.execute(delete(table).where(gone)).rowcount
        else:
            counts[table.name] = _delete_linked(connection, table, own.parent, mine[table], gone)
    return {name: n for name, n in counts.items() if n}


def left_of_extents(
    connection: Connection, subject: str, participant: str, extents: Extents
) -> dict[str, int]:
    """Count the rows that should be gone, by table; tables without any are left out."""
    counts = {
        table.name: count(connection, table, gone)
        for table, gone in conditions(subject, participant, extents).items()
    }
    return {name: n for name, n in counts.items() if n}


def conditions(subject: str, participant: str, extents: Extents) -> dict[Table, ColumnElement[bool]]:
    """The condition that finds the rows that go, for each table that has any; children first."""
    mine = owned(subject, participant)
    chosen: dict[Table, ColumnElement[bool]] = {}
    for table in metadata.sorted_tables:
        if table.name in extents:
            extent = extents[table.name]
            marked = [or_(*(_holds(table.c[name]) for name in extent.marks))] if extent.marks else []
            spared = [not_(_holds(table.c[name])) for name in extent.unless]
            chosen[table] = and_(mine[table], *marked, *spared)
    return with_dependents(chosen)


def with_dependents(chosen: Mapping[Table, ColumnElement[bool]]) -> dict[Table, ColumnElement[bool]]:
    """Those rows, and the ones that cannot stand without them; children first."""
    found: dict[Table, ColumnElement[bool]] = {}
    for table in metadata.sorted_tables:
        parts = [chosen[table]] if table in chosen else []
        for key in table.foreign_keys:
            parent = key.column.table
            if parent in found and parent is not table and not key.parent.nullable:
                parts.append(key.parent.in_(select(key.column).where(found[parent])))
        if parts:
            found[table] = or_(*parts)
    return dict(reversed(found.items()))


def _holds(column: Column[object]) -> ColumnElement[bool]:
    if column is estimates.c.snapshot:
        return column != MACHINE
    return column.is_not(None)


def _let_go(connection: Connection, table: Table, gone: ColumnElement[bool]) -> None:
    """Let rows of other tables that stay point to nothing where they point to rows that go."""
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is table and other is not table and key.parent.nullable:
                points = key.parent.in_(select(key.column).where(gone))
                connection.execute(update(other).where(points).values({key.parent.name: None}))


def _delete_linked(
    connection: Connection,
    table: Table,
    link: Column[object],
    mine: ColumnElement[bool],
    gone: ColumnElement[bool],
) -> int:
    """Delete rows of a table whose rows replace each other."""
    key = next(iter(table.primary_key))
    query = select(key.label("id"), link.label("older"), gone.label("gone")).where(mine)
    before = {row.id: row for row in connection.execute(query)}
    relinked = {}
    for row in before.values():
        older = row.older
        while older is not None and before[older].gone:
            older = before[older].older
        if not row.gone and older != row.older:
            relinked[row.id] = older
    if relinked:
        loose = update(table).where(key.in_(sorted(relinked)))
        connection.execute(loose.values({link.name: None}))
    count_ = connection.execute(delete(table).where(gone)).rowcount
    for number, older in relinked.items():
        connection.execute(update(table).where(key == number).values({link.name: older}))
    return count_
