"""Queries about what was said and who looked where imported data come from: sealed, and read by nobody but archives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from tracker.store.tables import former_records


def place(record: str) -> str:
    """Where a record's ciphertext lies: what binds it to its row.

    Examples
    --------
    >>> place("9f0c")
    'former_records.sealed|9f0c'
    """
    return f"former_records.sealed|{record}"


def add(
    connection: Connection, participant: str, records: Sequence[tuple[str, bytes]], recorded_at: datetime
) -> None:
    """Keep sealed records under their random ids."""
    if records:
        connection.execute(
            insert(former_records),
            [
                {"id": record, "participant": participant, "sealed": sealed, "recorded_at": recorded_at}
                for record, sealed in records
            ],
        )


def of(connection: Connection, participant: str) -> list[tuple[str, bytes]]:
    """A participant's records: random id and ciphertext of each."""
    query = select(former_records.c.id, former_records.c.sealed).where(
        former_records.c.participant == participant
    )
    return [(row[0], row[1]) for row in connection.execute(query.order_by(former_records.c.id))]
