"""Reading a series back: moment by moment for a day, and the queries that a timeline page stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, select

from tracker.domain.affect import Distribution
from tracker.domain.series import MACHINE, Reason
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import estimates, observations


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation with the network's word and the newest learner's word on it."""

    observation: int
    at: datetime
    reason: Reason | None
    machine: Distribution | None
    personal: Distribution | None


def last_network(connection: Connection, subject: str) -> str | None:
    """The network that read the newest observation with an estimate."""
    query = (
        select(estimates.c.network)
        .join(observations, estimates.c.observation == observations.c.id)
        .where(observations.c.subject == subject, estimates.c.snapshot == MACHINE)
        .order_by(observations.c.at.desc(), estimates.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def readings_query(subject: str, network: str, start: datetime | None, end: datetime | None) -> Select[tuple]:  # type: ignore[type-arg]
    """Observations of [start, end) in order of time, each with all estimates over one network."""
    conditions = [observations.c.subject == subject]
    if start is not None:
        conditions.append(observations.c.at >= start)
    if end is not None:
        conditions.append(observations.c.at < end)
    return (
        select(
            observations.c.id,
            observations.c.at,
            observations.c.reason,
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
        )
        .outerjoin(
            estimates, and_(estimates.c.observation == observations.c.id, estimates.c.network == network)
        )
        .where(*conditions)
        .order_by(observations.c.at, observations.c.id, estimates.c.snapshot)
    )


def readings(
    connection: Connection, subject: str, network: str, start: datetime | None, end: datetime | None
) -> Iterator[Reading]:
    """Stream the readings of [start, end); either end may be open.

    Rows arrive with the network's estimate first and snapshots in order, so the last one of an
    observation is the newest learner's.
    """
    # On the statement, not on the connection: there it would stay for every statement after this one.
    query = readings_query(subject, network, start, end).execution_options(yield_per=2000)
    result = connection.execute(query)
    current: Reading | None = None
    for row in result:
        if current is None or current.observation != row.id:
            if current is not None:
                yield current
            reason = Reason(row.reason) if row.reason else None
            current = Reading(row.id, row.at, reason, None, None)
        if row.snapshot is not None:
            said = Distribution(tuple(row[4:]))
            machine = said if row.snapshot == MACHINE else current.machine
            personal = said if row.snapshot != MACHINE else current.personal
            current = Reading(current.observation, current.at, current.reason, machine, personal)
    if current is not None:
        yield current


def reading_of(connection: Connection, observation: int, network: str) -> Reading | None:
    """One observation with its estimates."""
    query = (
        select(
            observations.c.at,
            observations.c.reason,
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
        )
        .outerjoin(
            estimates, and_(estimates.c.observation == observations.c.id, estimates.c.network == network)
        )
        .where(observations.c.id == observation)
        .order_by(estimates.c.snapshot)
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    machine = personal = None
    for row in rows:
        if row.snapshot == MACHINE:
            machine = Distribution(tuple(row[3:]))
        elif row.snapshot is not None:
            personal = Distribution(tuple(row[3:]))
    reason = Reason(rows[0].reason) if rows[0].reason else None
    return Reading(observation, rows[0].at, reason, machine, personal)


def subject_of(connection: Connection, observation: int) -> str | None:
    """Whose observation this is."""
    query = select(observations.c.subject).where(observations.c.id == observation)
    return connection.execute(query).scalar_one_or_none()
