"""Queries that store what was taken along elsewhere: many rows at once, under the grants that stand here.

What of an import is as rare as it is in daily life goes through the queries of daily life; a series of months does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.series import MACHINE, Estimate, Observation
from tracker.store.rows import to_columns
from tracker.store.series import observation_row
from tracker.store.tables import contexts, corrections, estimates, observations, prompts

_SERIES = (observations, contexts, prompts, corrections)


def is_empty(connection: Connection, subject: str) -> bool:
    """Whether nothing of a series hangs on a subject."""
    return not any(
        connection.execute(select(table.c.id).where(table.c.subject == subject).limit(1)).first()
        for table in _SERIES
    )


def add_observations(
    connection: Connection,
    permit: Permit,
    subject: str,
    rows: Sequence[tuple[str, Observation, int]],
    recorded_at: datetime,
) -> list[int]:
    """Store observations; return their ids in the same order.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    permit, subject, recorded_at
        For `Use.STORE_SERIES`, whose they are, and now (UTC).
    rows
        The zone kept beside it, the observation, and how many it stands for: (zone, observation, samples) each.

    Raises
    ------
    NotCoveredError
        When one lies before what the grant covers; then none is stored.
    """
    permit.demand(Use.STORE_SERIES)
    for _, observation, _ in rows:
        permit.demand_covers(observation.at)
    if not rows:
        return []
    grant = permit.grant(Scope.AFFECT_SERIES)
    statement = insert(observations).returning(observations.c.id, sort_by_parameter_order=True)
    values = [
        observation_row(o, subject, zone, grant, recorded_at) | {"samples": samples}
        for zone, o, samples in rows
    ]
    return list(connection.execute(statement, values).scalars())


def add_estimates(
    connection: Connection,
    series: Permit,
    learn: Permit | None,
    rows: Sequence[tuple[int, datetime, Estimate, int]],
    recorded_at: datetime,
) -> None:
    """Store estimates of stored observations: (observation, its instant, what was said, of how many readings) each.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    series, learn
        Permits for `Use.STORE_SERIES` and `Use.LEARN`; the latter only where a learner's words are among the rows.
    rows
        In the order in which they were said: the last network's word speaks for a moment.
    recorded_at
        Now (UTC).

    Raises
    ------
    NotCoveredError
        When an instant lies before what the grant covers; then none is stored.
    """
    series.demand(Use.STORE_SERIES)
    values = []
    for observation, at, said, samples in rows:
        permit, scope = series, Scope.AFFECT_SERIES
        if said.snapshot != MACHINE:
            if learn is None:
                raise ValueError("a learner's word is stored under a permit to learn; there is none")
            learn.demand(Use.LEARN)
            permit, scope = learn, Scope.PERSONAL_LEARNING
        permit.demand_covers(at)
        values.append(
            {
                "observation": observation,
                "network": said.network,
                "snapshot": said.snapshot,
                **to_columns(said.distribution),
                "grant_id": permit.grant(scope),
                "samples": samples,
                "recorded_at": recorded_at,
            }
        )
    if values:
        connection.execute(insert(estimates), values)
