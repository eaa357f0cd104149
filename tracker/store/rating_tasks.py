"""Queries about tasks: which item is kept for which rater, until when, and why it was given to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from tracker.domain.consent import RATE, Permit, Scope
from tracker.domain.rating import Because
from tracker.store.rows import upsert
from tracker.store.tables import rating_tasks


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as stored.

    Attributes
    ----------
    id
        Random: how its rater names it.
    subject, observation
        What it is about.
    member
        Whose task it is.
    kind
        ``crop`` for one picture, ``series`` for a stretch of them.
    turn
        The how manieth of its rater's, from 1.
    because, random, gold
        Why it was given; whether chance alone chose it; whether its answer is known already.
    leased_until
        Until when nobody else is given it in this one's place.
    """

    id: str
    subject: str
    observation: int
    member: str
    kind: str
    turn: int
    because: Because
    random: bool
    gold: bool
    offered_at: datetime
    leased_until: datetime
    put_off_at: datetime | None
    done_at: datetime | None


def offer(connection: Connection, permit: Permit, task: TaskRow, *, hold: bool = True) -> TaskRow:
    """Keep an item for a rater; one that they had already is kept for them anew, under its old id.

    Parameters
    ----------
    hold
        Whether one that they had is kept for them anew; else it stays as it was.

    Raises
    ------
    ConsentError
        When the permit is not for raters.
    """
    permit.demand(*RATE)
    # Given again it is one more turn, for a reason of its own.
    again = {
        "turn": task.turn,
        "because": task.because.value,
        "random": task.random,
        "gold": task.gold,
        "offered_at": task.offered_at,
        "leased_until": task.leased_until,
        "put_off_at": None,
    }
    statement = (
        upsert(connection, rating_tasks)
        .values(
            id=task.id,
            subject=task.subject,
            observation=task.observation,
            member=task.member,
            kind=task.kind,
            turn=task.turn,
            because=task.because.value,
            random=task.random,
            gold=task.gold,
            offered_at=task.offered_at,
            leased_until=task.leased_until,
            grant_id=permit.grant(Scope.SHARE_WITH_RATERS),
        )
        .on_conflict_do_update(
            index_elements=["member", "kind", "observation"],
            set_=again if hold else {"kind": task.kind},
        )
        .returning(rating_tasks.c.id)
    )
    found = get(connection, connection.execute(statement).scalar_one(), task.member)
    assert found is not None
    return found


def get(connection: Connection, task: str, member: str) -> TaskRow | None:
    """A task of a rater; None where there is none, or it is somebody else's."""
    query = _tasks().where(rating_tasks.c.id == task, rating_tasks.c.member == member)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _row(row)


def any_of(connection: Connection, task: str) -> TaskRow | None:
    """A task, whoever's it is: for who decides between raters, and is none."""
    row = connection.execute(_tasks().where(rating_tasks.c.id == task)).mappings().one_or_none()
    return None if row is None else _row(row)


def open_of(connection: Connection, member: str, kind: str, now: datetime) -> list[TaskRow]:
    """The tasks that are kept for a rater now, in the order in which they were given."""
    t = rating_tasks.c
    query = _tasks().where(
        t.member == member,
        t.kind == kind,
        t.leased_until > now,
        t.done_at.is_(None),
        t.put_off_at.is_(None),
    )
    return [_row(row) for row in connection.execute(query.order_by(t.turn, t.id)).mappings()]


def of_member(connection: Connection, member: str) -> list[TaskRow]:
    """Every task that a rater was ever given, in order."""
    t = rating_tasks.c
    query = _tasks().where(t.member == member).order_by(t.offered_at, t.turn, t.id)
    return [_row(row) for row in connection.execute(query).mappings()]


def turns(connection: Connection, member: str, kind: str) -> int:
    """How many times a rater was given an item, the same one again among them."""
    query = select(func.coalesce(func.max(rating_tasks.c.turn), 0))
    mine = (rating_tasks.c.member == member, rating_tasks.c.kind == kind)
    found: int = connection.execute(query.where(*mine)).scalar_one()
    return found


def extend(connection: Connection, task: str, until: datetime) -> None:
    """Keep an item for its rater longer."""
    connection.execute(update(rating_tasks).where(rating_tasks.c.id == task).values(leased_until=until))


def finish(connection: Connection, task: str, at: datetime | None) -> None:
    """Mark a task as done; with None as open again."""
    connection.execute(
        update(rating_tasks).where(rating_tasks.c.id == task).values(done_at=at, put_off_at=None)
    )


def put_off(connection: Connection, task: str, at: datetime) -> None:
    """Put an item at the end of its rater's own queue; others may have it meanwhile."""
    connection.execute(update(rating_tasks).where(rating_tasks.c.id == task).values(put_off_at=at))


def is_others(connection: Connection, subject: str, observation: int, member: str) -> bool:
    """Whether a member was never given an item, answered or not, so that they may decide about it."""
    query = select(rating_tasks.c.id).where(
        rating_tasks.c.subject == subject,
        rating_tasks.c.observation == observation,
        rating_tasks.c.member == member,
    )
    return connection.execute(query.limit(1)).first() is None


def delete_of(connection: Connection, observations: list[int]) -> int:
    """Delete the tasks of observations, whose votes and traces have gone before."""
    return connection.execute(
        delete(rating_tasks).where(rating_tasks.c.observation.in_(observations))
    ).rowcount


def _tasks() -> Select[Any]:
    t = rating_tasks.c
    return select(
        t.id,
        t.subject,
        t.observation,
        t.member,
        t.kind,
        t.turn,
        t.because,
        t.random,
        t.gold,
        t.offered_at,
        t.leased_until,
        t.put_off_at,
        t.done_at,
    )


def _row(row: Any) -> TaskRow:
    return TaskRow(**{**row, "because": Because(row["because"])})
