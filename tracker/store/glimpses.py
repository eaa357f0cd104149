"""What the camera saw around a moment, as stored: for what a learner knows of a moment before anybody answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, and_, func, select

from tracker.domain.affect import Distribution
from tracker.domain.series import MACHINE
from tracker.store.hiding import unhidden
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import estimates, observations


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One observation with the word of the network that read it last; None where nothing was read.

    Attributes
    ----------
    score, sharpness
        How well the face was found, and how sharp it was.
    """

    at: datetime
    machine: Distribution | None
    score: float | None
    sharpness: float | None


def glimpses(connection: Connection, subject: str, start: datetime, end: datetime) -> list[Glimpse]:
    """The observations of [start, end], both included, in order of time, but for hidden ones."""
    query = (
        select(
            observations.c.id,
            observations.c.at,
            observations.c.score,
            observations.c.sharpness,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
        )
        .outerjoin(
            estimates, and_(estimates.c.observation == observations.c.id, estimates.c.snapshot == MACHINE)
        )
        .where(
            observations.c.subject == subject,
            observations.c.at.between(start, end),
            unhidden(observations.c.subject, observations.c.at),
        )
        .order_by(observations.c.at, observations.c.id, estimates.c.id)
    )
    found = []
    for _, rows in groupby(connection.execute(query), key=lambda row: row.id):
        last = list(rows)[-1]
        said = Distribution(tuple(last[4:])) if last[4] is not None else None
        found.append(Glimpse(last.at, said, last.score, last.sharpness))
    return found


def looks(
    connection: Connection, subject: str, start: datetime, end: datetime
) -> tuple[dict[str, int], datetime | None]:
    """How often each reason stood in the way in [start, end] (``""``: none did), and when the first look was."""
    query = (
        select(observations.c.reason, func.count(), func.min(observations.c.at))
        .where(
            observations.c.subject == subject,
            observations.c.at.between(start, end),
            unhidden(observations.c.subject, observations.c.at),
        )
        .group_by(observations.c.reason)
    )
    rows = connection.execute(query).all()
    return {row[0] or "": row[1] for row in rows}, min((row[2] for row in rows), default=None)
