"""Between rows and the domain's values: the eight probability columns, and inserts that skip what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tracker.domain.affect import EMOTIONS, Distribution

EMOTION_COLUMNS = tuple(f"p_{e.value}" for e in EMOTIONS)


def to_columns(distribution: Distribution | None) -> dict[str, float | None]:
    """The distribution as values for the eight columns."""
    values = distribution.probabilities if distribution is not None else (None,) * len(EMOTIONS)
    return dict(zip(EMOTION_COLUMNS, values, strict=True))


def from_columns(row: Mapping[str, Any]) -> Distribution | None:
    """The distribution in a row's eight columns; None where they are empty."""
    values = tuple(row[c] for c in EMOTION_COLUMNS)
    return None if values[0] is None else Distribution(values)


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that knows ``on_conflict_*`` in the connection's dialect."""
    return (postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert)(table)
