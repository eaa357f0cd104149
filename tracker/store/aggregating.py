"""Queries for one person's part in aggregate figures: sums over a stretch of time, never single rows.

What files of other programs brought is in none of them: nobody was asked for that but in a document.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.orm import aliased

from tracker.domain.stretches import any_touches
from tracker.store.feedback import replaces
from tracker.store.hiding import stretches, unhidden, unhidden_correction
from tracker.store.summaries import BUCKET, MACHINE_SERIES, bucket_of, read_summaries
from tracker.store.tables import corrections, observations

_TICK = timedelta(microseconds=1)


def observed(connection: Connection, subject: str, start: datetime, end: datetime) -> int:
    """How many observations of [start, end) were made; one that stands for several counts as these."""
    query = select(func.coalesce(func.sum(observations.c.samples), 0)).where(
        observations.c.subject == subject,
        observations.c.at >= start,
        observations.c.at < end,
        observations.c.imported_from.is_(None),
        unhidden(observations.c.subject, observations.c.at),
    )
    return int(connection.execute(query).scalar_one())


def readings(
    connection: Connection, subject: str, start: datetime, end: datetime
) -> Iterator[tuple[datetime, int, tuple[float, ...]]]:
    """What networks read, by quarter hours that lie whole in [start, end): (quarter hour, readings, sums)."""
    first = start if bucket_of(start) == start else bucket_of(start) + BUCKET
    hidden, brought = stretches(connection, subject), _brought(connection, subject, first, end)
    for bucket, _, n, sums in read_summaries(connection, subject, first, end, [MACHINE_SERIES]):
        # A sum cannot be cut: a quarter hour of which anything is hidden, or was imported, is left out whole.
        if (
            bucket + BUCKET <= end
            and bucket not in brought
            and not any_touches(hidden, bucket, bucket + BUCKET - _TICK)
        ):
            yield bucket, n, sums


def _brought(connection: Connection, subject: str, start: datetime, end: datetime) -> set[datetime]:
    """The quarter hours that hold an observation which a file of another program brought."""
    query = select(observations.c.at).where(
        observations.c.subject == subject,
        observations.c.at >= start,
        observations.c.at < end,
        observations.c.imported_from.is_not(None),
    )
    return {bucket_of(at) for at in connection.execute(query).scalars()}


def mean_answer(
    connection: Connection,
    subject: str,
    target: str,
    start: datetime,
    end: datetime,
    prompted_from: datetime | None,
) -> float | None:
    """A participant's own mean answer to a target in [start, end), or None where they gave none.

    Parameters
    ----------
    prompted_from
        Answers to prompts count from this instant on; None leaves them out.
    """
    said: ColumnElement[bool] = corrections.c.prompt.is_(None)
    if prompted_from is not None:
        said = or_(said, and_(corrections.c.prompt.is_not(None), corrections.c.at >= prompted_from))
    newer = aliased(corrections, name="newer")
    query = select(func.avg(corrections.c.value)).where(
        corrections.c.subject == subject,
        ~select(newer.c.id).where(replaces(newer)).exists(),
        corrections.c.target == target,
        corrections.c.rater == "participant",
        corrections.c.imported_from.is_(None),
        corrections.c.at >= start,
        corrections.c.at < end,
        unhidden_correction(),
        said,
    )
    mean: float | None = connection.execute(query).scalar_one()
    return mean
