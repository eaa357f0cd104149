"""How the installation itself runs."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from tracker.store.tables.columns import metadata
from tracker.store.types import Instant

leases = Table(
    "leases",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("slot", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", Text),
)

# The number that this database shares with its key store, so that neither is taken for another's.
installation = Table("installation", metadata, Column("id", String(32), primary_key=True))
