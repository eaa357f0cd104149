"""Queries about face crops: sealed bytes, one for an observation at most."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.tables import crops, observations


@dataclass(frozen=True, slots=True)
class NewCrop:
    """A crop to be kept: its random id, the observation and instant it belongs to, and its sealed bytes."""

    id: str
    observation: int
    at: datetime
    sealed: bytes


def place(crop: str) -> str:
    """Where a crop's ciphertext lies: what binds it to its row.

    Examples
    --------
    >>> place("9f0c")
    'crops.sealed|9f0c'
    """
    return f"crops.sealed|{crop}"


def stored_at(connection: Connection, subject: str, source: str, pts_us: Collection[int]) -> dict[int, int]:
    """The observations of a source that are stored, by presentation time in microseconds."""
    query = select(observations.c.pts_us, observations.c.id).where(
        observations.c.subject == subject,
        observations.c.source == source,
        observations.c.pts_us.in_(sorted(pts_us)),
    )
    return {row.pts_us: row.id for row in connection.execute(query)}


def append(
    connection: Connection, permit: Permit, subject: str, new: Sequence[NewCrop], recorded_at: datetime
) -> None:
    """Keep sealed crops.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    permit
        For `Use.KEEP_CROPS`, made in this transaction.
    subject
        Whose face it is; the observations are theirs.
    new
        The crops.
    recorded_at
        Now (UTC).

    Raises
    ------
    NotCoveredError
        When one lies before what the grant covers; then none is kept.
    """
    permit.demand(Use.KEEP_CROPS)
    for crop in new:
        permit.demand_covers(crop.at)
    grant = permit.grant(Scope.FACE_CROPS)
    if new:
        connection.execute(
            insert(crops),
            [
                {
                    "id": crop.id,
                    "subject": subject,
                    "observation": crop.observation,
                    "grant_id": grant,
                    "sealed": crop.sealed,
                    "recorded_at": recorded_at,
                }
                for crop in new
            ],
        )


def of_observation(connection: Connection, subject: str, observation: int) -> tuple[str, bytes] | None:
    """The crop of one of a subject's observations: its id, and its sealed bytes."""
    query = select(crops.c.id, crops.c.sealed).where(
        crops.c.subject == subject, crops.c.observation == observation
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.sealed)


def is_kept(connection: Connection, subject: str, observation: int) -> bool:
    """Whether a crop of one of a subject's observations is kept."""
    query = select(crops.c.id).where(crops.c.subject == subject, crops.c.observation == observation)
    return connection.execute(query).one_or_none() is not None
