"""Queries about what learners learned, and their snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import aliased

from tracker.domain.affect import Distribution
from tracker.domain.consent import Permit, Use
from tracker.store.feedback import insert_row, replaces
from tracker.store.rows import from_columns, to_columns
from tracker.store.tables import corrections, learning_events, observations, snapshots


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
    return insert_row(
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
    ended = select(func.min(newer.c.recorded_at)).where(replaces(newer)).correlate(corrections)
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
    return insert_row(
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
