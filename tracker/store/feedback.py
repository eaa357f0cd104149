"""Queries about contexts, prompts, corrections, what was learned from them, and learner snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select
from sqlalchemy.orm import aliased

from tracker.domain.affect import Distribution
from tracker.domain.consent import Permit, Use
from tracker.domain.series import CONTEXT_HOLDS, Context, Correction, Prompt
from tracker.store.rows import from_columns, to_columns, upsert
from tracker.store.tables import contexts, corrections, learning_events, observations, prompts, snapshots


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """A learning event as stored: what a learner is rebuilt from, bit for bit.

    Attributes
    ----------
    said_at, seen_at
        The moment that the correction speaks of, and the one that the features were seen at: that of the
        observation spoken of, where there is one.
    ended_at
        When its correction was superseded, or None.
    prompted
        Whether its correction answers a prompt, and so rests on the scope `prompts` too.
    """

    id: int
    correction: int
    features: dict[str, float]
    label: Distribution
    weight: float
    predicted: Distribution
    machine: Distribution | None
    recorded_at: datetime
    said_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    prompted: bool

    @property
    def at(self) -> datetime:
        """The instant that a grant must cover: the earlier of the two."""
        return min(self.said_at, self.seen_at)


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A learner frozen as parameters.

    Attributes
    ----------
    learn_since, context_since, prompts_since
        From which instant on its corrections, contexts and answers to prompts are covered by what is
        granted; None where that scope is not in force.
    """

    id: int
    target: str
    prior: str
    rebased_at: datetime
    log_position: int
    learn_since: datetime
    context_since: datetime | None
    prompts_since: datetime | None
    parameters: dict[str, Any]
    sha256: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A correction as stored."""

    id: int
    observation: int | None
    at: datetime
    target: str
    value: float | None
    distribution: Distribution | None
    rater: str
    supersedes: int | None
    recorded_at: datetime


def add_context(
    connection: Connection, permit: Permit, subject: str, zone: str, context: Context, now: datetime
) -> int:
    """Append a context event; return its id."""
    permit.demand(Use.KEEP_CONTEXT)
    permit.demand_covers(context.at)
    return _id(
        connection,
        contexts,
        subject=subject,
        zone=zone,
        at=context.at,
        place=context.place,
        activity=context.activity,
        company=context.company,
        recorded_at=now,
    )


def contexts_between(connection: Connection, subject: str, start: datetime, end: datetime) -> list[Context]:
    """Contexts that can speak for moments of [start, end], in order; the later recorded one last."""
    query = (
        select(contexts.c.at, contexts.c.place, contexts.c.activity, contexts.c.company)
        .where(contexts.c.subject == subject, contexts.c.at.between(start - CONTEXT_HOLDS, end))
        .order_by(contexts.c.at, contexts.c.id)
    )
    return [Context(*row) for row in connection.execute(query)]


def put_prompt(
    connection: Connection, permit: Permit, subject: str, zone: str, prompt: Prompt, now: datetime
) -> int | None:
    """Keep one prompt per slot; return its id, or None when the slot has one already."""
    permit.demand(Use.PROMPT)
    permit.demand_covers(prompt.scheduled_at)
    statement = (
        upsert(connection, prompts)
        .values(
            subject=subject,
            slot=prompt.slot,
            zone=zone,
            scheduled_at=prompt.scheduled_at,
            notified_at=prompt.notified_at,
            started_at=prompt.started_at,
            completed_at=prompt.completed_at,
            state=prompt.state,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(prompts.c.id)
    )
    row: int | None = connection.execute(statement).scalar_one_or_none()
    return row


def subject_of_prompt(connection: Connection, prompt: int) -> str | None:
    """Whose prompt this is."""
    query = select(prompts.c.subject).where(prompts.c.id == prompt)
    return connection.execute(query).scalar_one_or_none()


def add_correction(
    connection: Connection,
    permit: Permit,
    subject: str,
    zone: str,
    correction: Correction,
    now: datetime,
    *,
    observation: int | None,
    prompt: int | None = None,
    supersedes: int | None = None,
) -> int:
    """Append a correction; return its id."""
    if permit.use is not Use.PROMPT:
        permit.demand(Use.CORRECT)
    permit.demand_covers(correction.at)
    return _id(
        connection,
        corrections,
        subject=subject,
        zone=zone,
        observation=observation,
        prompt=prompt,
        at=correction.at,
        target=correction.target,
        value=correction.value,
        **to_columns(correction.distribution),
        rater=correction.rater,
        suggestion_shown=correction.suggestion_shown,
        supersedes=supersedes,
        recorded_at=now,
    )


def standing_correction(
    connection: Connection, subject: str, target: str, rater: str, *, observation: int | None, at: datetime
) -> int | None:
    """The newest standing correction by the same rater of the same moment, or None.

    There may be two, one of the instant and one of the observation; a new one replaces both (`_replaces`).
    """
    # A moment that had no observation when it was corrected first may have one by now.
    same = corrections.c.at == at
    if observation is not None:
        same = or_(same, corrections.c.observation == observation)
    query = (
        _standing()
        .where(
            corrections.c.subject == subject,
            corrections.c.target == target,
            corrections.c.rater == rater,
            same,
        )
        .order_by(corrections.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else row["id"]


def standing_corrections(
    connection: Connection, subject: str, start: datetime, end: datetime, target: str | None = None
) -> list[CorrectionRow]:
    """Corrections of moments in [start, end) that were not superseded, in order of the moment."""
    query = _standing().where(
        corrections.c.subject == subject, corrections.c.at >= start, corrections.c.at < end
    )
    if target is not None:
        query = query.where(corrections.c.target == target)
    rows = connection.execute(query.order_by(corrections.c.at, corrections.c.id)).mappings()
    return [
        CorrectionRow(
            r["id"],
            r["observation"],
            r["at"],
            r["target"],
            r["value"],
            from_columns(dict(r)),
            r["rater"],
            r["supersedes"],
            r["recorded_at"],
        )
        for r in rows
    ]


def add_learned(
    connection: Connection,
    permit: Permit,
    subject: str,
    target: str,
    *,
    correction: int,
    features: Mapping[str, float],
    label: Distribution,
    weight: float,
    predicted: Distribution,
    machine: Distribution | None,
    snapshot_before: int,
    now: datetime,
) -> int:
    """Append what was learned, with what the learner predicted before it learned; return its position.

    Raises
    ------
    NotCoveredError
        When the moment corrected, or the observation spoken of, lies before what the grant covers.
    """
    permit.demand(Use.LEARN)
    for at in moments_of(connection, correction):
        permit.demand_covers(at)
    return _id(
        connection,
        learning_events,
        subject=subject,
        correction=correction,
        target=target,
        features=dict(features),
        **to_columns(label),
        weight=weight,
        predicted=list(predicted.probabilities),
        machine=list(machine.probabilities) if machine is not None else None,
        snapshot_before=snapshot_before,
        recorded_at=now,
    )


def moments_of(connection: Connection, correction: int) -> tuple[datetime, datetime]:
    """The moment that a correction speaks of, and that of its observation (the same where it has none)."""
    query = (
        select(corrections.c.at, _seen_at())
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(corrections.c.id == correction)
    )
    said, seen = connection.execute(query).one()
    return said, seen


def learned_since(connection: Connection, subject: str, target: str, since: datetime) -> list[LearnedRow]:
    """Learning events recorded since an instant, in recording order, each with when it was superseded."""
    newer = aliased(corrections, name="newer")
    ended = select(func.min(newer.c.recorded_at)).where(_replaces(newer)).correlate(corrections)
    query = (
        select(
            learning_events,
            corrections.c.at.label("said_at"),
            _seen_at().label("seen_at"),
            ended.scalar_subquery().label("ended_at"),
            corrections.c.prompt.is_not(None).label("prompted"),
        )
        .join(corrections, corrections.c.id == learning_events.c.correction)
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            learning_events.c.recorded_at >= since,
        )
        .order_by(learning_events.c.id)
    )
    return [_learned(row) for row in connection.execute(query).mappings()]


def add_snapshot(
    connection: Connection,
    permit: Permit,
    subject: str,
    target: str,
    *,
    prior: str,
    rebased_at: datetime,
    log_position: int,
    learn_since: datetime,
    context_since: datetime | None,
    prompts_since: datetime | None,
    parameters: Mapping[str, Any],
    sha256: str,
    now: datetime,
) -> int:
    """Append a learner snapshot; return its id."""
    permit.demand(Use.LEARN)
    return _id(
        connection,
        snapshots,
        subject=subject,
        target=target,
        prior=prior,
        rebased_at=rebased_at,
        log_position=log_position,
        learn_since=learn_since,
        context_since=context_since,
        prompts_since=prompts_since,
        parameters=dict(parameters),
        sha256=sha256,
        created_at=now,
    )


def latest_snapshot(connection: Connection, subject: str, target: str) -> SnapshotRow | None:
    """The newest snapshot of a learner, or None."""
    query = (
        select(
            snapshots.c.id,
            snapshots.c.target,
            snapshots.c.prior,
            snapshots.c.rebased_at,
            snapshots.c.log_position,
            snapshots.c.learn_since,
            snapshots.c.context_since,
            snapshots.c.prompts_since,
            snapshots.c.parameters,
            snapshots.c.sha256,
            snapshots.c.created_at,
        )
        .where(snapshots.c.subject == subject, snapshots.c.target == target)
        .order_by(snapshots.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else SnapshotRow(**row)


def _standing() -> Any:
    newer = aliased(corrections, name="newer")
    return select(corrections).where(~select(newer.c.id).where(_replaces(newer)).exists())


def _replaces(newer: Any) -> ColumnElement[bool]:
    # A word can name only one that it supersedes, and take the place of two: of one said about the very
    # instant, and of one about the observation that has come since.
    return and_(
        newer.c.subject == corrections.c.subject,
        newer.c.target == corrections.c.target,
        newer.c.rater == corrections.c.rater,
        newer.c.id > corrections.c.id,
        or_(
            newer.c.supersedes == corrections.c.id,
            newer.c.at == corrections.c.at,
            newer.c.observation == corrections.c.observation,
        ),
    )


def _seen_at() -> ColumnElement[datetime]:
    return func.coalesce(observations.c.at, corrections.c.at)


def _learned(row: Any) -> LearnedRow:
    label = from_columns(row)
    assert label is not None
    machine = row["machine"]
    return LearnedRow(
        id=row["id"],
        correction=row["correction"],
        features=row["features"],
        label=label,
        weight=row["weight"],
        predicted=Distribution(tuple(row["predicted"])),
        machine=Distribution(tuple(machine)) if machine is not None else None,
        recorded_at=row["recorded_at"],
        said_at=row["said_at"],
        seen_at=row["seen_at"],
        ended_at=row["ended_at"],
        prompted=row["prompted"],
    )


def _id(connection: Connection, table: Any, **values: Any) -> int:
    result: int = connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
    return result
