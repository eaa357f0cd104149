"""Queries about votes and traces: appended, superseded, never changed; each decision is stored once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from tracker.domain.affect import Distribution
from tracker.domain.consent import RATE, Permit, Scope
from tracker.domain.rating import Ballot, Trace, Verdict
from tracker.store.rating_items import standing_vote
from tracker.store.rating_tasks import TaskRow
from tracker.store.rows import EMOTION_COLUMNS, from_columns, to_columns
from tracker.store.tables import rating_tasks, rating_traces, rating_votes
from tracker.store.types import to_microseconds


@dataclass(frozen=True, slots=True)
class VoteRow:
    """A vote as stored.

    Attributes
    ----------
    task, observation, member
        On what, by whom.
    verdict, distribution
        What was said.
    suggestion_shown, shown_at, response_ms, visible_ms
        How it was said, see `tracker.domain.rating.Ballot`.
    gold, random
        Whether its item had a known answer, and whether chance chose it.
    """

    id: int
    task: str
    observation: int
    member: str
    verdict: Verdict
    distribution: Distribution | None
    valence: float | None
    arousal: float | None
    suggestion_shown: bool
    shown_at: datetime
    response_ms: int | None
    visible_ms: int | None
    key: str
    recorded_at: datetime
    kind: str
    gold: bool
    random: bool


def add(
    connection: Connection,
    permit: Permit,
    task: TaskRow,
    ballot: Ballot,
    supersedes: int | None,
    now: datetime,
) -> int:
    """Append a vote; return its id."""
    return _append(
        connection,
        permit,
        task,
        {
            "verdict": ballot.verdict.value,
            **to_columns(ballot.distribution),
            "valence": ballot.valence,
            "arousal": ballot.arousal,
            "suggestion_shown": ballot.suggestion_shown,
            "shown_at": ballot.shown_at,
            "response_ms": ballot.response_ms,
            "visible_ms": ballot.visible_ms,
            "key": ballot.key,
            "supersedes": supersedes,
        },
        now,
    )


def take_back(
    connection: Connection,
    permit: Permit,
    task: TaskRow,
    old: VoteRow,
    key: str,
    now: datetime,
    *,
    timed: bool,
) -> int:
    """Append a row that says that a vote is taken back; return its id.

    Parameters
    ----------
    timed
        Whether its rater allows that times are kept; else it says nothing of when the item was shown.
    """
    return _append(
        connection,
        permit,
        task,
        {
            "verdict": Verdict.UNDONE.value,
            "suggestion_shown": old.suggestion_shown,
            "shown_at": old.shown_at if timed else now,
            "key": key,
            "supersedes": old.id,
        },
        now,
    )


def by_key(connection: Connection, member: str, key: str) -> VoteRow | None:
    """The vote that a decision was stored as, or None."""
    query = _votes().where(rating_votes.c.member == member, rating_votes.c.key == key)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _row(row)


def standing(connection: Connection, task: str) -> VoteRow | None:
    """What stands of a task: the newest row, which may say that it was taken back; None before the first."""
    query = _votes().where(rating_votes.c.task == task, standing_vote()).order_by(rating_votes.c.id.desc())
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else _row(row)


def of_subject(connection: Connection, subject: str) -> list[VoteRow]:
    """The standing votes on a subject's moments, in recording order."""
    query = _votes().where(rating_votes.c.subject == subject, standing_vote()).order_by(rating_votes.c.id)
    return [_row(row) for row in connection.execute(query).mappings()]


def newest_words(connection: Connection, subject: str) -> dict[int, datetime]:
    """When anybody last said something about each moment, or took it back."""
    v = rating_votes.c
    query = select(v.observation, func.max(v.recorded_at)).where(v.subject == subject).group_by(v.observation)
    return {row[0]: row[1] for row in connection.execute(query)}


def uncomfortable(connection: Connection, subject: str, member: str, kind: str) -> frozenset[int]:
    """The items of a kind of which a rater said, as it stands, that they do not want to look at them."""
    v = rating_votes.c
    query = select(v.observation).where(
        v.subject == subject,
        v.member == member,
        v.verdict == Verdict.UNCOMFORTABLE.value,
        v.task.in_(select(rating_tasks.c.id).where(rating_tasks.c.kind == kind)),
        standing_vote(),
    )
    return frozenset(connection.execute(query).scalars())


def voted_on(connection: Connection, subject: str, member: str, kind: str) -> frozenset[int]:
    """Which items of a kind a rater ever said something about, whatever stands of it now."""
    v = rating_votes.c
    query = (
        select(v.observation)
        .join(rating_tasks, rating_tasks.c.id == v.task)
        .where(v.subject == subject, v.member == member, rating_tasks.c.kind == kind)
    )
    return frozenset(connection.execute(query).scalars())


def forget_times(connection: Connection, member: str) -> int:
    """Clear how long a rater took, of all their votes; return of how many."""
    v = rating_votes.c
    timed = or_(v.response_ms.is_not(None), v.visible_ms.is_not(None), v.shown_at != v.recorded_at)
    cleared = {"response_ms": None, "visible_ms": None, "shown_at": v.recorded_at}
    return connection.execute(update(rating_votes).where(v.member == member, timed).values(cleared)).rowcount


def newest_of(connection: Connection, member: str, most: int) -> list[VoteRow]:
    """A rater's newest standing votes, the last first."""
    query = (
        _votes()
        .where(
            rating_votes.c.member == member,
            rating_votes.c.verdict != Verdict.UNDONE.value,
            standing_vote(),
        )
        .order_by(rating_votes.c.id.desc())
        .limit(most)
    )
    return [_row(row) for row in connection.execute(query).mappings()]


def of_member(connection: Connection, member: str, *, standing_only: bool = True) -> list[VoteRow]:
    """A rater's votes in recording order: those that stand, or every row."""
    query = _votes().where(rating_votes.c.member == member)
    if standing_only:
        query = query.where(standing_vote())
    return [_row(row) for row in connection.execute(query.order_by(rating_votes.c.id)).mappings()]


def subjects_of(connection: Connection, member: str) -> dict[str, str]:
    """Whose moments a rater's tasks are about, by task."""
    query = select(rating_tasks.c.id, rating_tasks.c.subject).where(rating_tasks.c.member == member)
    return {row.id: row.subject for row in connection.execute(query)}


def count_since(connection: Connection, member: str, since: datetime) -> int:
    """How many standing votes a rater has cast since an instant; those taken back are none."""
    query = select(func.count()).select_from(rating_votes)
    return connection.execute(
        query.where(
            rating_votes.c.member == member,
            rating_votes.c.recorded_at >= since,
            rating_votes.c.verdict != Verdict.UNDONE.value,
            standing_vote(),
        )
    ).scalar_one()


def keep_trace(connection: Connection, permit: Permit, task: TaskRow, trace: Trace, now: datetime) -> int:
    """Append a trace as it was drawn; return its id. A decision that is stored already keeps its id."""
    permit.demand(*RATE)
    same = (rating_traces.c.member == task.member, rating_traces.c.key == trace.key)
    known = connection.execute(select(rating_traces.c.id).where(*same)).scalar_one_or_none()
    if known is not None:
        return int(known)
    values = {
        "subject": task.subject,
        "task": task.id,
        "observation": task.observation,
        "member": task.member,
        "dimension": trace.dimension.value,
        "samples": [[to_microseconds(s.at), s.value, s.observation] for s in trace.samples],
        "lag_s": trace.lag_s,
        "key": trace.key,
        "grant_id": permit.grant(Scope.SHARE_WITH_RATERS),
        "recorded_at": now,
    }
    statement = insert(rating_traces).values(values).returning(rating_traces.c.id)
    number: int = connection.execute(statement).scalar_one()
    return number


def traces_of(connection: Connection, member: str) -> list[dict[str, Any]]:
    """A rater's traces as they were drawn, in recording order."""
    columns = ("task", "dimension", "samples", "lag_s", "recorded_at")
    query = select(*(rating_traces.c[c] for c in columns)).where(rating_traces.c.member == member)
    return [dict(row) for row in connection.execute(query.order_by(rating_traces.c.id)).mappings()]


def _append(
    connection: Connection, permit: Permit, task: TaskRow, said: Mapping[str, Any], now: datetime
) -> int:
    permit.demand(*RATE)
    values = {
        **said,
        "subject": task.subject,
        "task": task.id,
        "observation": task.observation,
        "member": task.member,
        "grant_id": permit.grant(Scope.SHARE_WITH_RATERS),
        "recorded_at": now,
    }
    number: int = connection.execute(
        insert(rating_votes).values(values).returning(rating_votes.c.id)
    ).scalar_one()
    return number


def _votes() -> Select[Any]:
    v = rating_votes.c
    return select(
        v.id,
        v.task,
        v.observation,
        v.member,
        v.verdict,
        *(v[c] for c in EMOTION_COLUMNS),
        v.valence,
        v.arousal,
        v.suggestion_shown,
        v.shown_at,
        v.response_ms,
        v.visible_ms,
        v.key,
        v.recorded_at,
        rating_tasks.c.kind,
        rating_tasks.c.gold,
        rating_tasks.c.random,
    ).join(rating_tasks, rating_tasks.c.id == v.task)


def _row(row: Any) -> VoteRow:
    told = {name: value for name, value in row.items() if name not in EMOTION_COLUMNS}
    return VoteRow(**{**told, "verdict": Verdict(row["verdict"]), "distribution": from_columns(row)})
