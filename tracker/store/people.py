"""Queries about participants, their accounts and their consent events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from tracker.domain.consent import ConsentEvent, Notice, Recorder, Scope, State
from tracker.store.rows import upsert
from tracker.store.tables import accounts, consent_events, consent_log, participants, subjects


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


@dataclass(frozen=True, slots=True)
class EventRow:
    """A consent event as stored: evidence sealed, with the salt of its commitment."""

    event: ConsentEvent
    evidence_sealed: bytes
    salt: bytes


_PARTICIPANT = (
    participants.c.id,
    participants.c.name_sealed,
    participants.c.subject_sealed,
    participants.c.zone,
    participants.c.simulated,
    participants.c.enrolled_at,
    participants.c.paused_at,
)


def by_digest(connection: Connection, name_digest: str) -> ParticipantRow | None:
    """Find a participant by the keyed digest of their name."""
    return _one(connection, participants.c.name_digest == name_digest)


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
    connection.execute(insert(subjects).values(id=subject))
    connection.execute(insert(accounts).values(participant=row.id, session_version=1, failures=0))
    return True


def set_paused(connection: Connection, participant: str, at: datetime | None) -> None:
    """Pause capture from an instant on, or resume it."""
    connection.execute(update(participants).where(participants.c.id == participant).values(paused_at=at))


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


def events(connection: Connection, participant: str) -> list[EventRow]:
    """A participant's consent events in the log's order."""
    query = (
        select(consent_events)
        .where(consent_events.c.participant == participant)
        .order_by(consent_events.c.seq)
    )
    return [_event(row) for row in connection.execute(query).mappings()]


def all_events(connection: Connection) -> dict[int, tuple[str, EventRow]]:
    """Every consent event that was not erased, by position: (participant, event)."""
    rows = connection.execute(select(consent_events).order_by(consent_events.c.seq)).mappings()
    return {row["seq"]: (row["participant"], _event(row)) for row in rows}


def log_tail(connection: Connection) -> tuple[int, str] | None:
    """Lock the log against other writers and return its last row's (seq, hash)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE consent_log IN EXCLUSIVE MODE"))
    return log_head(connection)


def log_head(connection: Connection) -> tuple[int, str] | None:
    """The log's last row: (seq, hash)."""
    query = select(consent_log.c.seq, consent_log.c.hash).order_by(consent_log.c.seq.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.seq, row.hash)


def log_rows(connection: Connection) -> list[tuple[int, str, datetime, str, str]]:
    """The whole log: (seq, commitment, recorded_at, previous, hash)."""
    query = select(
        consent_log.c.seq,
        consent_log.c.commitment,
        consent_log.c.recorded_at,
        consent_log.c.previous,
        consent_log.c.hash,
    ).order_by(consent_log.c.seq)
    return [(r.seq, r.commitment, r.recorded_at, r.previous, r.hash) for r in connection.execute(query)]


def append_event(
    connection: Connection,
    participant: str,
    row: EventRow,
    commitment: str,
    previous: str,
    chain_hash: str,
) -> None:
    """Append one event: the log row that stays, and the personal fields beside it."""
    event = row.event
    connection.execute(
        insert(consent_log).values(
            seq=event.seq,
            commitment=commitment,
            recorded_at=event.recorded_at,
            previous=previous,
            hash=chain_hash,
        )
    )
    connection.execute(
        insert(consent_events).values(
            seq=event.seq,
            participant=participant,
            scope=event.scope.value,
            state=event.state.value,
            notice_version=event.notice.version,
            notice_language=event.notice.language,
            notice_sha256=event.notice.sha256,
            recorded_at=event.recorded_at,
            covers_from=event.covers_from,
            recorder=event.recorder.value,
            evidence_sealed=row.evidence_sealed,
            salt=row.salt,
        )
    )


def count(connection: Connection) -> int:
    """How many participants are enrolled."""
    return connection.execute(select(func.count()).select_from(participants)).scalar_one()


def _one(connection: Connection, condition: Any) -> ParticipantRow | None:
    row = connection.execute(select(*_PARTICIPANT).where(condition)).one_or_none()
    return None if row is None else ParticipantRow(*row)


def _event(row: Any) -> EventRow:
    event = ConsentEvent(
        seq=row["seq"],
        scope=Scope(row["scope"]),
        state=State(row["state"]),
        notice=Notice(row["notice_version"], row["notice_language"], row["notice_sha256"]),
        recorded_at=row["recorded_at"],
        covers_from=row["covers_from"],
        recorder=Recorder(row["recorder"]),
    )
    return EventRow(event, row["evidence_sealed"], row["salt"])
