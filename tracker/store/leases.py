"""Leases: who runs a job's slot, so that two processes never run the same one twice.

A slot is claimed by inserting its row. A holder that dies leaves its lease to run out, and another takes
it over; a finished slot is never run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, select, update

from tracker.store.rows import upsert
from tracker.store.tables import leases


class LeaseLostError(Exception):
    """Another process has taken over a slot whose lease ran out."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"the lease on {lease.job} {lease.slot} ran out, and another process took it over")


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a slot: while it lasts, nobody else runs it."""

    job: str
    slot: str
    holder: str


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A slot as stored."""

    job: str
    slot: str
    holder: str
    until: datetime
    finished_at: datetime | None
    outcome: str | None


def claim(
    connection: Connection, job: str, slot: str, holder: str, now: datetime, until: datetime
) -> Lease | None:
    """Claim a slot that nobody has run or is running; None when somebody has or is.

    Parameters
    ----------
    connection
        A writing transaction of its own: the claim holds once it is committed.
    job, slot, holder
        What is claimed, by whom; a holder's name is unique to its process.
    now, until
        A lease that ran out before `now` is taken over; the new one holds until `until`.
    """
    inserted = connection.execute(
        upsert(connection, leases)
        .values(job=job, slot=slot, holder=holder, until=until)
        .on_conflict_do_nothing()
        .returning(leases.c.job)
    ).one_or_none()
    lease = Lease(job, slot, holder)
    if inserted is not None:
        return lease
    expired = and_(leases.c.job == job, leases.c.slot == slot, leases.c.finished_at.is_(None))
    taken = update(leases).where(expired, leases.c.until <= now).values(holder=holder, until=until)
    return lease if connection.execute(taken).rowcount == 1 else None


def extend(connection: Connection, lease: Lease, until: datetime) -> None:
    """Hold a lease longer; raise `LeaseLostError` when it was taken over."""
    if connection.execute(update(leases).where(_held(lease)).values(until=until)).rowcount != 1:
        raise LeaseLostError(lease)


def finish(connection: Connection, lease: Lease, now: datetime, outcome: str) -> None:
    """Mark a slot as run, for good; raise `LeaseLostError` when it was taken over."""
    done = update(leases).where(_held(lease)).values(finished_at=now, outcome=outcome)
    if connection.execute(done).rowcount != 1:
        raise LeaseLostError(lease)


def finished(connection: Connection, job: str, slot: str) -> bool:
    """Whether a slot has been run."""
    query = select(leases.c.slot).where(
        leases.c.job == job, leases.c.slot == slot, leases.c.finished_at.is_not(None)
    )
    return connection.execute(query).one_or_none() is not None


def of_job(connection: Connection, job: str) -> list[LeaseRow]:
    """A job's slots in the order of their names."""
    query = _rows().where(leases.c.job == job).order_by(leases.c.slot)
    return [LeaseRow(*row) for row in connection.execute(query)]


def newest(connection: Connection, most: int) -> list[LeaseRow]:
    """The slots of all jobs that run or ended last, newest first."""
    ended = func.coalesce(leases.c.finished_at, leases.c.until)
    return [
        LeaseRow(*row) for row in connection.execute(_rows().order_by(ended.desc(), leases.c.job).limit(most))
    ]


def forget(connection: Connection, before: datetime) -> int:
    """Delete slots that were finished before an instant; return how many."""
    return connection.execute(delete(leases).where(leases.c.finished_at < before)).rowcount


def _rows() -> Select[Any]:
    return select(
        leases.c.job, leases.c.slot, leases.c.holder, leases.c.until, leases.c.finished_at, leases.c.outcome
    )


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(
        leases.c.job == lease.job,
        leases.c.slot == lease.slot,
        leases.c.holder == lease.holder,
        leases.c.finished_at.is_(None),
    )
