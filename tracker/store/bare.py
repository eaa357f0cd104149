"""SQLAlchemy Core's own bulk insert, without gate or summaries: the limit that `bench` measures against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert

from tracker.domain.series import Observed
from tracker.store.database import Database
from tracker.store.rows import to_columns
from tracker.store.series import observation_row
from tracker.store.tables import estimates, observations

_APART = 10_000_000  # rows stored by others between two rounds take the ids after the last one


def bulk_insert(
    database: Database, subject: str, zone: str, batch: Sequence[Observed], now: datetime, round_: int
) -> None:
    """Insert a batch with ids chosen beforehand, in one transaction of two statements."""
    first = _APART * (round_ + 1)
    seen = [
        {"id": first + i, **observation_row(o.observation, subject, zone, now)} for i, o in enumerate(batch)
    ]
    said = [
        {
            "observation": first + i,
            "network": e.network,
            "snapshot": e.snapshot,
            **to_columns(e.distribution),
            "recorded_at": now,
        }
        for i, o in enumerate(batch)
        for e in o.estimates
    ]
    with database.write() as connection:
        connection.execute(insert(observations), seen)
        connection.execute(insert(estimates), said)
