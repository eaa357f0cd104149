"""Queries about what participants want done with what a withdrawn scope covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tracker.domain.consent import Scope
from tracker.store.tables import erasure_requests


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request as stored; `due_at` is None where the participant keeps what there is.

    `recorded_at` is that of the event that ended the scope, or the instant of the participant's answer.
    """

    id: int
    participant: str
    scope: Scope
    answer: str
    due_at: datetime | None
    recorded_at: datetime


def put(
    connection: Connection,
    participant: str,
    scope: Scope,
    answer: str,
    due_at: datetime | None,
    now: datetime,
) -> None:
    """Keep what is to be done about one withdrawn scope, in the place of what stood; callers know whose word counts."""
    cancel(connection, participant, scope)
    connection.execute(
        insert(erasure_requests).values(
            participant=participant, scope=scope.value, answer=answer, due_at=due_at, recorded_at=now
        )
    )


def answer(
    connection: Connection, participant: str, word: str, due_at: datetime | None, now: datetime
) -> int:
    """Answer every unanswered request of a participant."""
    statement = (
        update(erasure_requests)
        .where(erasure_requests.c.participant == participant, erasure_requests.c.answer == "unanswered")
        .values(answer=word, due_at=due_at, recorded_at=now)
    )
    return connection.execute(statement).rowcount


def cancel(
    connection: Connection, participant: str, scope: Scope, answers: Sequence[str] | None = None
) -> None:
    """Forget requests about a scope (with these answers, or any): it was granted again, or carried out."""
    statement = delete(erasure_requests).where(
        erasure_requests.c.participant == participant, erasure_requests.c.scope == scope.value
    )
    if answers is not None:
        statement = statement.where(erasure_requests.c.answer.in_(answers))
    connection.execute(statement)


def of(connection: Connection, participant: str) -> list[RequestRow]:
    """A participant's open requests."""
    query = select(
        erasure_requests.c.id,
        erasure_requests.c.participant,
        erasure_requests.c.scope,
        erasure_requests.c.answer,
        erasure_requests.c.due_at,
        erasure_requests.c.recorded_at,
    ).where(erasure_requests.c.participant == participant)
    return [_row(r) for r in connection.execute(query.order_by(erasure_requests.c.id))]


def due(connection: Connection, now: datetime) -> list[RequestRow]:
    """Requests whose time has come."""
    query = select(
        erasure_requests.c.id,
        erasure_requests.c.participant,
        erasure_requests.c.scope,
        erasure_requests.c.answer,
        erasure_requests.c.due_at,
        erasure_requests.c.recorded_at,
    ).where(erasure_requests.c.due_at <= now)
    return [_row(r) for r in connection.execute(query.order_by(erasure_requests.c.id))]


def _row(row: tuple[int, str, str, str, datetime | None, datetime]) -> RequestRow:
    return RequestRow(row[0], row[1], Scope(row[2]), row[3], row[4], row[5])
