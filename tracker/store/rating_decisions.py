"""Queries about what is decided of items: known answers, and what somebody decided where raters disagree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select
from sqlalchemy.orm import aliased

from tracker.domain.affect import Distribution
from tracker.domain.consent import RATE, Permit, Scope
from tracker.domain.rating import Verdict
from tracker.store.rows import EMOTION_COLUMNS, from_columns, to_columns, upsert
from tracker.store.tables import adjudications, rating_gold


@dataclass(frozen=True, slots=True)
class Adjudication:
    """What somebody decided of an item.

    Attributes
    ----------
    observation
        Of which moment.
    decided_by
        The member; None once they were removed.
    verdict, distribution
        What they decided.
    """

    id: int
    observation: int
    decided_by: str | None
    verdict: Verdict
    distribution: Distribution | None
    key: str
    recorded_at: datetime


def set_gold(
    connection: Connection,
    permit: Permit,
    subject: str,
    observation: int,
    answer: Distribution,
    member: str,
    now: datetime,
) -> None:
    """Say that the answer to an item is known; a later word about the same item takes the place of the earlier."""
    permit.demand(*RATE)
    said = {**to_columns(answer), "decided_by": member, "recorded_at": now}
    connection.execute(delete(rating_gold).where(rating_gold.c.observation == observation))
    connection.execute(
        upsert(connection, rating_gold).values(
            subject=subject,
            observation=observation,
            grant_id=permit.grant(Scope.SHARE_WITH_RATERS),
            **said,
        )
    )


def remove_gold(connection: Connection, subject: str, observation: int) -> bool:
    """Say that the answer to an item is not known; return whether it was."""
    mine = (rating_gold.c.subject == subject, rating_gold.c.observation == observation)
    return connection.execute(delete(rating_gold).where(*mine)).rowcount > 0


def gold_of(connection: Connection, subject: str, *, but: str | None = None) -> dict[int, Distribution]:
    """The known answers to a subject's items, without those that a member set themselves."""
    g = rating_gold.c
    query = select(g.observation, *(g[c] for c in EMOTION_COLUMNS)).where(g.subject == subject)
    if but is not None:
        query = query.where(or_(g.decided_by.is_(None), g.decided_by != but))
    return {row[0]: Distribution(tuple(row[1:])) for row in connection.execute(query.order_by(g.id))}


def adjudicate(
    connection: Connection,
    permit: Permit,
    subject: str,
    observation: int,
    member: str,
    verdict: Verdict,
    answer: Distribution | None,
    key: str,
    now: datetime,
) -> int:
    """Append what somebody decided; what stood is superseded. A decision that is stored already keeps its id."""
    permit.demand(*RATE)
    same = (adjudications.c.decided_by == member, adjudications.c.key == key)
    known = connection.execute(select(adjudications.c.id).where(*same)).scalar_one_or_none()
    if known is not None:
        return int(known)
    before = adjudicated(connection, subject).get(observation)
    values = {
        "subject": subject,
        "observation": observation,
        "decided_by": member,
        "verdict": verdict.value,
        **to_columns(answer),
        "key": key,
        "supersedes": before.id if before is not None else None,
        "grant_id": permit.grant(Scope.SHARE_WITH_RATERS),
        "recorded_at": now,
    }
    number: int = connection.execute(
        insert(adjudications).values(values).returning(adjudications.c.id)
    ).scalar_one()
    return number


def adjudicated(connection: Connection, subject: str) -> dict[int, Adjudication]:
    """What stands decided of a subject's items, by observation."""
    newer, a = aliased(adjudications, name="newer"), adjudications.c
    columns = (a.id, a.observation, a.decided_by, a.verdict, *(a[c] for c in EMOTION_COLUMNS), a.key)
    query = select(*columns, a.recorded_at).where(
        a.subject == subject, ~select(newer.c.id).where(newer.c.supersedes == a.id).exists()
    )
    rows = connection.execute(query.order_by(a.id)).mappings()
    return {row["observation"]: _row(row) for row in rows}


def decided_by(connection: Connection, member: str, subject: str, observation: int) -> bool:
    """Whether a member ever decided about an item."""
    a = adjudications.c
    query = select(a.id).where(a.subject == subject, a.observation == observation, a.decided_by == member)
    return connection.execute(query.limit(1)).first() is not None


def made_by(connection: Connection, member: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The known answers that a member set and the decisions that they made, in order; not of whose faces."""
    g, a = rating_gold.c, adjudications.c
    known = select(*(g[c] for c in EMOTION_COLUMNS), g.recorded_at).where(g.decided_by == member)
    decided = select(a.verdict, *(a[c] for c in EMOTION_COLUMNS), a.recorded_at).where(a.decided_by == member)
    return (
        [_made(row) for row in connection.execute(known.order_by(g.id)).mappings()],
        [_made(row) for row in connection.execute(decided.order_by(a.id)).mappings()],
    )


def _made(row: Any) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in EMOTION_COLUMNS}
    return told | {"distribution": from_columns(row)}


def _row(row: Any) -> Adjudication:
    return Adjudication(
        row["id"],
        row["observation"],
        row["decided_by"],
        Verdict(row["verdict"]),
        from_columns(row),
        row["key"],
        row["recorded_at"],
    )
