"""Queries that delete what is held about a person, and that look afterwards.

Which rows are a person's follows from the schema's foreign keys, so a new table is covered when it is
made; the order is that of the foreign keys, children first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields

from sqlalchemy import ColumnElement, Connection, Table, delete, false, func, or_, select, update

from tracker.store.seen import Seen, seen_columns
from tracker.store.tables import learning_events, metadata, participants, snapshots, subjects


def owned(subject: str, participant: str) -> dict[Table, ColumnElement[bool]]:
    """Every table that holds rows of a person, with the condition that finds them; children first."""
    roots = {subjects: subjects.c.id == subject, participants: participants.c.id == participant}
    conditions: dict[Table, ColumnElement[bool]] = {}
    for table in metadata.sorted_tables:
        if table in roots:
            conditions[table] = roots[table]
            continue
        direct, through = [], []
        for key in table.foreign_keys:
            parent = key.column.table
            if parent in roots:
                direct.append(key.parent == (subject if parent is subjects else participant))
            elif parent in conditions and parent is not table:
                through.append(key.parent.in_(select(key.column).where(conditions[parent])))
        if direct or through:
            conditions[table] = or_(false(), *(direct or through))
    return dict(reversed(conditions.items()))


def delete_person(connection: Connection, subject: str, participant: str) -> dict[str, int]:
    """Delete every row of a person; return how many there were by table."""
    return {
        table.name: connection.execute(delete(table).where(condition)).rowcount
        for table, condition in owned(subject, participant).items()
    }


def left_of_person(connection: Connection, subject: str, participant: str) -> dict[str, int]:
    """Count the rows of a person by table; tables without any are left out."""
    counts = {
        table.name: count(connection, table, condition)
        for table, condition in owned(subject, participant).items()
    }
    return {name: n for name, n in counts.items() if n}


def subject_ids(connection: Connection) -> list[str]:
    """Every subject's id."""
    return list(connection.execute(select(subjects.c.id).order_by(subjects.c.id)).scalars())


def count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    """Count the rows of a table that fulfil a condition."""
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()


def rewrite_seen(connection: Connection, subject: str, rewrite: Callable[[str, Seen], Seen]) -> int:
    """Rewrite what was seen when something was learned, by target; return how many rows changed.

    Nobody but erasure may do this.
    """
    columns = [learning_events.c[f.name] for f in fields(Seen)]
    rows = connection.execute(
        select(learning_events.c.id, learning_events.c.target, *columns).where(
            learning_events.c.subject == subject
        )
    ).all()
    changed = 0
    for number, target, *values in rows:
        before = Seen(*values)
        after = rewrite(target, before)
        if after != before:
            statement = update(learning_events).where(learning_events.c.id == number)
            connection.execute(statement.values(**seen_columns(after)))
            changed += 1
    return changed


def delete_snapshots(connection: Connection, subject: str, *, but: Collection[int] = ()) -> int:
    """Delete the snapshots of a subject's learners, but for some."""
    mine = (snapshots.c.subject == subject) & snapshots.c.id.not_in(sorted(but))
    return connection.execute(delete(snapshots).where(mine)).rowcount
