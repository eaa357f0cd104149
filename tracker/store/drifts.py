"""Queries about drifts: that a learner's estimates had begun to fit less well, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.feedback import insert_row
from tracker.store.hiding import unhidden
from tracker.store.tables import drifts


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A drift as stored.

    Attributes
    ----------
    at
        Since when the estimates fit less well: the moment that was corrected when it was noticed.
    kind
        How it was noticed.
    detail
        Its figures.
    """

    target: str
    at: datetime
    kind: str
    detail: dict[str, Any]
    recorded_at: datetime


def add(
    connection: Connection,
    permit: Permit,
    subject: str,
    target: str,
    *,
    at: datetime,
    kind: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> int:
    """Append a drift; return its id."""
    permit.demand(Use.LEARN)
    return insert_row(
        connection,
        drifts,
        subject=subject,
        target=target,
        at=at,
        kind=kind,
        detail=dict(detail),
        grant_id=permit.grant(Scope.PERSONAL_LEARNING),
        recorded_at=now,
    )


def since(connection: Connection, subject: str, start: datetime, target: str | None = None) -> list[DriftRow]:
    """The drifts of a subject's learners (or of one) from an instant on, in order; not those that are hidden."""
    query = (
        select(drifts.c.target, drifts.c.at, drifts.c.kind, drifts.c.detail, drifts.c.recorded_at)
        .where(
            drifts.c.subject == subject,
            drifts.c.recorded_at >= start,
            unhidden(drifts.c.subject, drifts.c.at),
        )
        .order_by(drifts.c.id)
    )
    if target is not None:
        query = query.where(drifts.c.target == target)
    return [DriftRow(*row) for row in connection.execute(query)]
