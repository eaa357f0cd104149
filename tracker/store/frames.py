"""Queries about kept video: sealed frames, one for an observation at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.video import day_of
from tracker.store.tables import frames, observations


@dataclass(frozen=True, slots=True)
class NewFrame:
    """A frame to be kept: its random id, the observation and instant it belongs to, and its sealed bytes."""

    id: str
    observation: int
    at: datetime
    sealed: bytes


def place(frame: str) -> str:
    """Where a frame's ciphertext lies: what binds it to its row.

    Examples
    --------
    >>> place("9f0c")
    'frames.sealed|9f0c'
    """
    return f"frames.sealed|{frame}"


def append(
    connection: Connection, permit: Permit, subject: str, new: Sequence[NewFrame], recorded_at: datetime
) -> None:
    """Keep sealed frames.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    permit
        For `Use.KEEP_VIDEO`, made in this transaction.
    subject
        Who is to be seen in them; the observations are theirs.
    new
        The frames; the caller has asked `held_on` for how much of their day is kept already.
    recorded_at
        Now (UTC).

    Raises
    ------
    NotCoveredError
        When one lies before what the grant covers; then none is kept.
    """
    permit.demand(Use.KEEP_VIDEO)
    for frame in new:
        permit.demand_covers(frame.at)
    grant = permit.grant(Scope.RAW_VIDEO)
    if new:
        connection.execute(
            insert(frames),
            [
                {
                    "id": frame.id,
                    "subject": subject,
                    "observation": frame.observation,
                    "grant_id": grant,
                    "sealed": frame.sealed,
                    "recorded_at": recorded_at,
                }
                for frame in new
            ],
        )


def held_on(connection: Connection, subject: str, at: datetime) -> int:
    """How many sealed bytes are kept of the moments of one day (UTC) of a subject's, by an instant in it."""
    start, end = day_of(at)
    query = (
        select(func.coalesce(func.sum(func.length(frames.c.sealed)), 0))
        .join(observations, observations.c.id == frames.c.observation)
        .where(frames.c.subject == subject, observations.c.at >= start, observations.c.at < end)
    )
    return int(connection.execute(query).scalar_one())


def of_observation(connection: Connection, subject: str, observation: int) -> tuple[str, bytes] | None:
    """The frame of one of a subject's observations: its id, and its sealed bytes."""
    query = select(frames.c.id, frames.c.sealed).where(
        frames.c.subject == subject, frames.c.observation == observation
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.sealed)


def is_kept(connection: Connection, subject: str, observation: int) -> bool:
    """Whether a frame of one of a subject's observations is kept."""
    query = select(frames.c.id).where(frames.c.subject == subject, frames.c.observation == observation)
    return connection.execute(query).one_or_none() is not None
