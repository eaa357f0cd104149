"""The number that a database shares with its key store."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from tracker.store.rows import upsert
from tracker.store.tables import installation


def of(connection: Connection) -> str | None:
    """The number of a database; None for one that was never bound to a key store."""
    return connection.execute(select(installation.c.id)).scalar_one_or_none()


def was_bound(connection: Connection) -> bool:
    """Whether a database, of any version or empty, was given to a key store once."""
    return inspect(connection).has_table(installation.name) and of(connection) is not None


def bind(connection: Connection, number: str) -> str:
    """Give a database its number unless it has one; return the one that it has."""
    here = of(connection)
    if here is None:
        connection.execute(upsert(connection, installation).values(id=number).on_conflict_do_nothing())
    return of(connection) or number
