"""Queries about requests that may be sent again: what was asked under which key, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tracker.store.factors import Owner
from tracker.store.tables import repeats


@dataclass(frozen=True, slots=True)
class RepeatRow:
    """A request with a key, and its answer once there is one."""

    id: str
    key_digest: str
    asked_digest: str
    status: int | None
    sealed: bytes | None
    claimed_at: datetime


_REPEAT = (
    repeats.c.id,
    repeats.c.key_digest,
    repeats.c.asked_digest,
    repeats.c.status,
    repeats.c.sealed,
    repeats.c.claimed_at,
)


def find(connection: Connection, owner: Owner, key_digest: str) -> RepeatRow | None:
    """What somebody asked under a key."""
    query = select(*_REPEAT).where(owner.owns(repeats), repeats.c.key_digest == key_digest)
    row = connection.execute(query).one_or_none()
    return None if row is None else RepeatRow(*row)


def claim(connection: Connection, owner: Owner, row: RepeatRow) -> None:
    """Note that a request is being answered; its owner is locked by who asks, so nobody else does so at once."""
    values = {column.name: getattr(row, column.name) for column in _REPEAT}
    connection.execute(insert(repeats).values(values | owner.columns()))


def keep(connection: Connection, owner: Owner, number: str, status: int, sealed: bytes) -> bool:
    """Keep the answer to a request; False where it was forgotten meanwhile."""
    mine = owner.owns(repeats) & (repeats.c.id == number)
    return connection.execute(update(repeats).where(mine).values(status=status, sealed=sealed)).rowcount > 0


def release(connection: Connection, owner: Owner, number: str) -> None:
    """Forget a request."""
    connection.execute(delete(repeats).where(owner.owns(repeats), repeats.c.id == number))


def forget_of(connection: Connection, owner: Owner) -> int:
    """Forget every answer that somebody was given; return how many."""
    return connection.execute(delete(repeats).where(owner.owns(repeats))).rowcount


def forget(connection: Connection, before: datetime) -> int:
    """Delete what was asked before an instant; return how many."""
    return connection.execute(delete(repeats).where(repeats.c.claimed_at < before)).rowcount
