"""Queries about learner snapshots: learners frozen as parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.feedback import insert_row
from tracker.store.tables import snapshots


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A learner frozen as parameters.

    Attributes
    ----------
    learn_since, context_since, prompts_since, raters_since
        From which instant on its corrections, contexts, answers to prompts and raters' words are covered by
        what is granted; None where that is not in force.
    faded_before
        Before which instant what was learned counts less; None where nothing drifted.
    parameters
        Empty where the row holds nothing that can be read.
    """

    id: int
    target: str
    prior: str
    rebased_at: datetime
    log_position: int
    learn_since: datetime
    context_since: datetime | None
    prompts_since: datetime | None
    faded_before: datetime | None
    parameters: dict[str, Any]
    sha256: str
    created_at: datetime
    raters_since: datetime | None = None


def add(
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
    faded_before: datetime | None,
    parameters: Mapping[str, Any],
    sha256: str,
    now: datetime,
    raters_since: datetime | None = None,
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
        raters_since=raters_since,
        faded_before=faded_before,
        parameters=dict(parameters),
        sha256=sha256,
        grant_id=permit.grant(Scope.PERSONAL_LEARNING),
        created_at=now,
    )


def latest(connection: Connection, subject: str, target: str) -> SnapshotRow | None:
    """The newest snapshot of a learner, or None."""
    query = (
        _rows()
        .where(snapshots.c.subject == subject, snapshots.c.target == target)
        .order_by(snapshots.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _row(row)


def as_of(connection: Connection, subject: str, target: str, at: datetime, mark: int) -> SnapshotRow | None:
    """The newest snapshot of a learner that was made up to an instant and has at most this id, or None."""
    query = (
        _rows()
        .where(snapshots.c.subject == subject, snapshots.c.target == target)
        .where(snapshots.c.created_at <= at, snapshots.c.id <= mark)
        .order_by(snapshots.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _row(row)


def live(connection: Connection, subject: str) -> dict[str, SnapshotRow]:
    """The newest snapshot of each of a subject's learners, by target in order of name."""
    newest = select(func.max(snapshots.c.id)).where(snapshots.c.subject == subject)
    query = _rows().where(snapshots.c.id.in_(newest.group_by(snapshots.c.target)))
    found = [_row(row) for row in connection.execute(query.order_by(snapshots.c.target)).mappings()]
    return {row.target: row for row in found}


def names_any(connection: Connection, subject: str, priors: Collection[str]) -> bool:
    """Whether any snapshot of a subject, live or old, started from one of these priors."""
    query = select(snapshots.c.id).where(
        snapshots.c.subject == subject, snapshots.c.prior.in_(sorted(priors))
    )
    return connection.execute(query.limit(1)).scalar_one_or_none() is not None


def delete_of_priors(connection: Connection, subject: str, priors: Collection[str]) -> int:
    """Delete the snapshots of a subject's learners that started from one of these priors."""
    mine = (snapshots.c.subject == subject) & snapshots.c.prior.in_(sorted(priors))
    return connection.execute(delete(snapshots).where(mine)).rowcount


def drop(connection: Connection, subject: str, target: str) -> int:
    """Delete every snapshot of one learner."""
    mine = (snapshots.c.subject == subject) & (snapshots.c.target == target)
    return connection.execute(delete(snapshots).where(mine)).rowcount


def _rows() -> Select[Any]:
    return select(
        snapshots.c.id,
        snapshots.c.target,
        snapshots.c.prior,
        snapshots.c.rebased_at,
        snapshots.c.log_position,
        snapshots.c.learn_since,
        snapshots.c.context_since,
        snapshots.c.prompts_since,
        snapshots.c.faded_before,
        snapshots.c.parameters,
        snapshots.c.sha256,
        snapshots.c.created_at,
        snapshots.c.raters_since,
    )


def _row(row: Any) -> SnapshotRow:
    parameters = row["parameters"]
    return SnapshotRow(**{**row, "parameters": parameters if isinstance(parameters, dict) else {}})
