"""Queries about participants and their accounts."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from tracker.store.rows import upsert
from tracker.store.tables import accounts, participants, subjects

_NAMES = 0x6E616D6573
"""Number of PostgreSQL's advisory lock on names."""


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """A participant as stored: name and subject sealed."""

    id: str
    name_sealed: bytes
    subject_sealed: bytes
    zone: str
    simulated: bool
    enrolled_at: datetime
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """How a participant logs in."""

    code_hash: str | None
    code_expires_at: datetime | None
    password_hash: str | None
    session_version: int
    failures: int
    locked_until: datetime | None


_PARTICIPANT = (
    participants.c.id,
    participants.c.name_sealed,
    participants.c.subject_sealed,
    participants.c.zone,
    participants.c.simulated,
    participants.c.enrolled_at,
    participants.c.paused_at,
)


def by_digest(connection: Connection, name_digests: Sequence[str]) -> ParticipantRow | None:
    """Find a participant by the keyed digest of their name, under any of the keys that it may be made with."""
    return _one(connection, participants.c.name_digest.in_(name_digests))


def lock_names(connection: Connection) -> None:
    """Let nobody else enrol, or make digests anew, until the transaction ends.

    SQLite needs no lock: its writing transactions exclude each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_NAMES)))


def set_digest(connection: Connection, participant: str, name_digest: str) -> None:
    """Put the digest of a participant's name under another key."""
    where = participants.c.id == participant
    connection.execute(update(participants).where(where).values(name_digest=name_digest))


def by_id(connection: Connection, participant: str) -> ParticipantRow | None:
    """Find a participant by id."""
    return _one(connection, participants.c.id == participant)


def everyone(connection: Connection) -> list[ParticipantRow]:
    """All participants, in the order of enrolment."""
    rows = connection.execute(select(*_PARTICIPANT).order_by(participants.c.enrolled_at, participants.c.id))
    return [ParticipantRow(*row) for row in rows]


def zones(connection: Connection) -> list[str]:
    """The time zones that anybody lives in."""
    query = select(participants.c.zone).distinct().order_by(participants.c.zone)
    return list(connection.execute(query).scalars())


def lock(connection: Connection, participant: str) -> ParticipantRow | None:
    """Lock the participant's row against every other writer until the transaction ends.

    SQLite needs no row lock: its writing transactions exclude each other.
    """
    query = select(*_PARTICIPANT).where(participants.c.id == participant)
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else ParticipantRow(*row)


def add(connection: Connection, name_digest: str, row: ParticipantRow, subject: str) -> bool:
    """Enrol: participant, subject and account, unlinked to the eye; return False when the name is taken."""
    statement = (
        upsert(connection, participants)
        .values(
            id=row.id,
            name_digest=name_digest,
            name_sealed=row.name_sealed,
            subject_sealed=row.subject_sealed,
            zone=row.zone,
            simulated=row.simulated,
            enrolled_at=row.enrolled_at,
            paused_at=row.paused_at,
        )
        .on_conflict_do_nothing(index_elements=["name_digest"])
        .returning(participants.c.id)
    )
    if connection.execute(statement).one_or_none() is None:
        return False
    _add_subject(connection, subject)
    connection.execute(insert(accounts).values(participant=row.id, session_version=1, failures=0))
    return True


def _add_subject(connection: Connection, subject: str) -> None:
    # SQLite numbers rows as they come: the k-th participant would be the k-th subject.
    if connection.dialect.name == "sqlite":
        statement = text("INSERT INTO subjects (rowid, id) VALUES (:place, :id)")
        connection.execute(statement, {"place": secrets.randbits(62) + 1, "id": subject})
    else:
        connection.execute(insert(subjects).values(id=subject))


def set_paused(connection: Connection, participant: str, at: datetime | None) -> None:
    """Pause capture from an instant on, or resume it."""
    connection.execute(update(participants).where(participants.c.id == participant).values(paused_at=at))


def set_zone(connection: Connection, participant: str, zone: str) -> None:
    """Note in which time zone a participant is now."""
    connection.execute(update(participants).where(participants.c.id == participant).values(zone=zone))


def account(connection: Connection, participant: str) -> AccountRow | None:
    """How a participant logs in."""
    query = select(
        accounts.c.code_hash,
        accounts.c.code_expires_at,
        accounts.c.password_hash,
        accounts.c.session_version,
        accounts.c.failures,
        accounts.c.locked_until,
    ).where(accounts.c.participant == participant)
    row = connection.execute(query).one_or_none()
    return None if row is None else AccountRow(*row)


def set_account(connection: Connection, participant: str, **values: Any) -> None:
    """Change columns of an account."""
    connection.execute(update(accounts).where(accounts.c.participant == participant).values(**values))


def count(connection: Connection) -> int:
    """How many participants are enrolled."""
    return connection.execute(select(func.count()).select_from(participants)).scalar_one()


def _one(connection: Connection, condition: Any) -> ParticipantRow | None:
    row = connection.execute(select(*_PARTICIPANT).where(condition)).one_or_none()
    return None if row is None else ParticipantRow(*row)
