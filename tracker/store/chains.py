"""Queries about the two hash-chained logs: what people consented to, and who of the staff looked at them.

A row of the log stays for ever and says nothing about anyone; what it commits to lies beside it, sealed under the
person's key, and goes when they are erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text

from tracker.store.tables import access_events, access_log, consent_events, consent_log


@dataclass(frozen=True, slots=True)
class Chain:
    """A log, the table of sealed events beside it, and the number of the lock that its writers take (PostgreSQL)."""

    log: Table
    events: Table
    lock: int


CONSENT = Chain(consent_log, consent_events, 0x61666663)
LOOKS = Chain(access_log, access_events, 0x6166666C)


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as stored: what was said is sealed, with the salt of its commitment.

    Attributes
    ----------
    study
        Which version of the study governed, by its number; None where none was applied, and of looks.
    """

    seq: int
    participant: str
    recorded_at: datetime
    sealed: bytes
    salt: bytes
    study: int | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of the log as stored."""

    seq: int
    commitment: str
    recorded_at: datetime
    previous: str
    hash: str


def tail(connection: Connection, chain: Chain) -> tuple[int, str] | None:
    """Lock a log against other writers and return its last row's (seq, hash)."""
    if connection.dialect.name == "postgresql":
        # A lock on the table would need the right to change its rows, which the program's role has not.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": chain.lock})
    return head(connection, chain)


def head(connection: Connection, chain: Chain) -> tuple[int, str] | None:
    """A log's last row: (seq, hash)."""
    log = chain.log
    row = connection.execute(select(log.c.seq, log.c.hash).order_by(log.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else (row.seq, row.hash)


def hash_at(connection: Connection, chain: Chain, seq: int) -> str | None:
    """The hash of one row of a log; None where there is no such row."""
    log = chain.log
    return connection.execute(select(log.c.hash).where(log.c.seq == seq)).scalar_one_or_none()


def rows(connection: Connection, chain: Chain) -> list[LogRow]:
    """A whole log in its order."""
    log = chain.log
    query = select(log.c.seq, log.c.commitment, log.c.recorded_at, log.c.previous, log.c.hash)
    return [LogRow(*row) for row in connection.execute(query.order_by(log.c.seq))]


def append(connection: Connection, chain: Chain, row: LogRow, event: EventRow) -> None:
    """Append one event: the row that stays, and what was said beside it."""
    connection.execute(
        insert(chain.log).values(
            seq=row.seq,
            commitment=row.commitment,
            recorded_at=row.recorded_at,
            previous=row.previous,
            hash=row.hash,
        )
    )
    # The label that was committed to: what the database would look up by itself may be newer by now.
    label = {"study": event.study} if "study" in chain.events.c else {}
    connection.execute(
        insert(chain.events).values(
            seq=event.seq,
            participant=event.participant,
            recorded_at=event.recorded_at,
            sealed=event.sealed,
            salt=event.salt,
            **label,
        )
    )


def events_of(connection: Connection, chain: Chain, participant: str) -> list[EventRow]:
    """One person's events in the log's order."""
    query = _events(chain).where(chain.events.c.participant == participant)
    return [EventRow(*row) for row in connection.execute(query)]


def events_by_person(connection: Connection, chain: Chain) -> dict[str, list[EventRow]]:
    """Everybody's events, by participant, each in the log's order."""
    found: dict[str, list[EventRow]] = {}
    for row in connection.execute(_events(chain)):
        found.setdefault(row.participant, []).append(EventRow(*row))
    return found


def all_events(connection: Connection, chain: Chain) -> dict[int, EventRow]:
    """Every event that was not erased, by position."""
    return {row.seq: EventRow(*row) for row in connection.execute(_events(chain))}


def positions_of(connection: Connection, chain: Chain, participant: str) -> tuple[int, ...]:
    """Where a person's events stand in a log."""
    events = chain.events
    query = select(events.c.seq).where(events.c.participant == participant).order_by(events.c.seq)
    return tuple(connection.execute(query).scalars())


def hashes_of(connection: Connection, chain: Chain, participant: str) -> dict[int, str]:
    """The hash of each row of a log beside which one person's events stand, by position."""
    log, events = chain.log, chain.events
    query = select(log.c.seq, log.c.hash).join(events, events.c.seq == log.c.seq)
    rows = connection.execute(query.where(events.c.participant == participant))
    return {row.seq: row.hash for row in rows}


def _events(chain: Chain) -> Any:
    e = chain.events.c
    label = [e.study] if "study" in e else []
    return select(e.seq, e.participant, e.recorded_at, e.sealed, e.salt, *label).order_by(e.seq)
