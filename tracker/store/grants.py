"""Queries about the keyed table of grants in force, which every trigger on a personal row looks at.

Rows carry the id of the grant under which they were written. The ids are random and hang on the subject, so
this table links no series to a person.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from tracker.domain.consent import Scope
from tracker.store.tables import grants


def put(connection: Connection, subject: str, scope: Scope, grant: int) -> None:
    """Let a new grant take the place of the one before it."""
    remove(connection, subject, scope)
    connection.execute(insert(grants).values(id=grant, subject=subject, scope=scope.value))


def remove(connection: Connection, subject: str, scope: Scope) -> None:
    """End a grant: from this commit on no row is written under it, by any process."""
    connection.execute(delete(grants).where(grants.c.subject == subject, grants.c.scope == scope.value))


def of(connection: Connection, subject: str) -> dict[Scope, int]:
    """The ids of a subject's grants in force, by scope."""
    query = select(grants.c.scope, grants.c.id).where(grants.c.subject == subject)
    return {Scope(scope): number for scope, number in connection.execute(query)}


def every(connection: Connection) -> dict[str, dict[Scope, int]]:
    """All grants in force, by subject and scope."""
    found: dict[str, dict[Scope, int]] = {}
    for subject, scope, number in connection.execute(select(grants.c.subject, grants.c.scope, grants.c.id)):
        found.setdefault(subject, {})[Scope(scope)] = number
    return found
