"""Sealed values wherever they lie: which of somebody's a key has not sealed yet, and putting others in their place."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, update

from tracker.store.tables import metadata, participants


def place(table: str, column: str, row: str | int) -> str:
    """Where a sealed value lies: what binds its ciphertext to its row.

    A participant's own row is known by its owner, to whom everything is bound.

    Examples
    --------
    >>> place("notes", "sealed", "9f0c"), place("participants", "name_sealed", "ada")
    ('notes.sealed|9f0c', 'participants.name_sealed')
    """
    return f"{table}.{column}" if table == participants.name else f"{table}.{column}|{row}"


def others(
    connection: Connection, table: str, column: str, participant: str, subject: str, head: bytes, limit: int
) -> list[tuple[Any, bytes]]:
    """Somebody's sealed values in a column that do not begin with a head: (row's key, ciphertext).

    Parameters
    ----------
    connection, table, column
        Where to look.
    participant, subject
        Whose: their id, and that of their series.
    head
        How a ciphertext begins that is sealed with the key of today.
    limit
        How many at most.
    """
    where = metadata.tables[table]
    sealed = where.c[column]
    found = select(_key(where), sealed).where(
        _owned(where, participant, subject), func.substr(sealed, 1, len(head)) != head
    )
    return [(row[0], row[1]) for row in connection.execute(found.order_by(_key(where)).limit(limit))]


def count(connection: Connection, table: str, column: str, participant: str, subject: str) -> int:
    """How many of somebody's values in a column are sealed."""
    where = metadata.tables[table]
    owned = select(func.count(where.c[column])).where(_owned(where, participant, subject))
    return connection.execute(owned).scalar_one()


def put(connection: Connection, table: str, column: str, row: Any, sealed: bytes) -> None:
    """Put a ciphertext in the place of another."""
    where = metadata.tables[table]
    connection.execute(update(where).where(_key(where) == row).values({column: sealed}))


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key


def _owned(table: Table, participant: str, subject: str) -> Any:
    if table is participants:
        return table.c.id == participant
    return table.c.participant == participant if "participant" in table.c else table.c.subject == subject
