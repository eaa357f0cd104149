"""Bulk inserts with SQLAlchemy Core alone, no gate or summaries: what `bench` measures against and begins with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects import sqlite

from tracker.domain.affect import Distribution
from tracker.domain.consent import Scope
from tracker.domain.series import Observed
from tracker.store import grants
from tracker.store.database import Database
from tracker.store.erasing import owned
from tracker.store.rows import to_columns
from tracker.store.seen import Label, Seen, plain, seen_columns
from tracker.store.series import observation_row
from tracker.store.tables import (
    access_events,
    consent_events,
    corrections,
    estimates,
    learning_events,
    observations,
)

_APART = 10_000_000  # rows stored by others between two rounds take the ids after the last one
_CACHE_KIB = 4_000_000


def bulk_insert(
    database: Database, subject: str, zone: str, batch: Sequence[Observed], now: datetime, round_: int
) -> None:
    """Insert a batch with ids chosen beforehand, in one transaction of two statements."""
    with database.read() as connection:
        grant = grants.of(connection, subject)[Scope.AFFECT_SERIES]
    first = _APART * (round_ + 1)
    seen = [
        {"id": first + i, **observation_row(o.observation, subject, zone, grant, now)}
        for i, o in enumerate(batch)
    ]
    said = [
        {
            "observation": first + i,
            "network": e.network,
            "snapshot": e.snapshot,
            **to_columns(e.distribution),
            "grant_id": grant,
            "recorded_at": now,
        }
        for i, o in enumerate(batch)
        for e in o.estimates
    ]
    with database.write() as connection:
        connection.execute(insert(observations), seen)
        connection.execute(insert(estimates), said)


def drop_gate(database: Database) -> None:
    """Drop the triggers that look for each row's grant from a SQLite database made to be measured."""
    with database.write() as connection:
        named = text(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            " AND (name LIKE '%\\_granted' ESCAPE '\\' OR name = 'summaries_derived')"
        )
        for name in connection.execute(named).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))


def bulk_learned(
    database: Database, subject: str, zone: str, target: str, said: Sequence[tuple[datetime, Seen, Label]]
) -> None:
    """Insert corrections of a target, each said and learned at its moment, in one transaction of two statements."""
    with database.write() as connection:
        held = grants.of(connection, subject)
        first = 1 + (connection.execute(select(func.max(corrections.c.id))).scalar_one() or 0)
        words, events = [], []
        for i, (at, seen, label) in enumerate(said, first):
            whose = {"subject": subject, "target": target, "recorded_at": at}
            mixed = label if isinstance(label, Distribution) else None
            whose |= {**to_columns(mixed), "value": None if mixed else label}
            words.append(
                {
                    "id": i,
                    "zone": zone,
                    "at": at,
                    "rater": "participant",
                    "suggestion_shown": False,
                    "grant_id": held[Scope.AFFECT_SERIES],
                    **whose,
                }
            )
            learned = {
                "correction": i,
                "weight": 1.0,
                "predicted": plain(label),
                "machine": None,
                "snapshot_before": 0,
                "grant_id": held[Scope.PERSONAL_LEARNING],
            }
            events.append({**learned, **seen_columns(seen), **whose})
        connection.execute(insert(corrections), words)
        connection.execute(insert(learning_events), events)


def multiply(database: Database, times: int, apart_us: int) -> None:
    """Copy every observation with its estimates of a SQLite database made to be measured, each time a little later.

    Parameters
    ----------
    times
        How many there are of each afterwards.
    apart_us
        How many microseconds lie between two copies.
    """
    shifted = {
        "id": "id + k * :most",
        "pts_us": "pts_us + k * :apart",
        "at": '"at" + k * :apart',
        "observation": "observation + k * :most",
    }
    series = (observations, estimates)
    indexes = [index for table in series for index in table.indexes]
    with database.write() as connection:
        # Kept in memory and sorted at the end, an index of ten million rows takes a minute; row by row, an hour.
        connection.execute(text(f"PRAGMA cache_size = -{_CACHE_KIB}"))
        for index in indexes:
            index.drop(connection)
        most = connection.execute(select(func.max(observations.c.id))).scalar_one()
        for table in series:
            last = connection.execute(select(func.max(table.c.id))).scalar_one()
            names = [c.name for c in table.columns if table is observations or c.name != "id"]
            into = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(shifted.get(name, f'"{name}"') for name in names)
            copy = (
                "WITH RECURSIVE copies(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copies WHERE k < :copies) "
                f"INSERT INTO {table.name} ({into}) SELECT {values} FROM copies CROSS JOIN {table.name} "
                f"WHERE {table.name}.id <= :last"
            )
            binds = {"copies": times - 1, "most": most, "apart": apart_us, "last": last}
            connection.execute(text(copy), binds)
        for index in indexes:
            index.create(connection)


def fetched(path: Path, query: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """What the driver's own ``fetchmany`` gives of a query, and nothing more."""
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(query)
        while rows := cursor.fetchmany(size):
            yield rows


def bulk_erase(path: Path, subject: str, participant: str) -> None:
    """Delete a person's rows with bare statements, then ``VACUUM`` and checkpoint: what an erasure is measured beside.

    The few rows of the logs that a trigger guards stay.
    """
    statements = [
        str(
            delete(table)
            .where(condition)
            .compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        )
        for table, condition in owned(subject, participant).items()
        if table not in (consent_events, access_events)
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
