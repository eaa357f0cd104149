"""Queries that delete what has been kept long enough."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, update

from tracker.store.tables import accounts, learning_events, snapshots


def forget_learned(connection: Connection, subject: str, target: str, before: datetime) -> int:
    """Delete what a subject's learner of a target learned before an instant; return how many events."""
    mine = (learning_events.c.subject == subject) & (learning_events.c.target == target)
    return connection.execute(
        delete(learning_events).where(mine, learning_events.c.recorded_at < before)
    ).rowcount


def forget_snapshots(
    connection: Connection, subject: str, before: datetime | None, *, but: Collection[int] = ()
) -> int:
    """Delete a subject's snapshots made before an instant (all without one), but for some."""
    statement = delete(snapshots).where(snapshots.c.subject == subject)
    if before is not None:
        statement = statement.where(snapshots.c.created_at < before)
    if but:
        statement = statement.where(snapshots.c.id.not_in(sorted(but)))
    return connection.execute(statement).rowcount


def forget_codes(connection: Connection, now: datetime) -> int:
    """Delete one-time codes that nobody can use any more; return how many."""
    expired = update(accounts).where(accounts.c.code_expires_at < now)
    return connection.execute(expired.values(code_hash=None, code_expires_at=None)).rowcount
