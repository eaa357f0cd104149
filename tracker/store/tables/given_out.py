"""What left the installation: figures and data sets."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Double, ForeignKey, String, Table

from tracker.store.tables.columns import metadata
from tracker.store.types import Instant, RowId

# Differentially private figures that were given out, and whom each was charged to.
releases = Table(
    "releases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("study", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("query", JSON, nullable=False),
    Column("epsilon", Double, nullable=False),
    Column("delta", Double, nullable=False),
    Column("result", JSON, nullable=False),
)

release_members = Table(
    "release_members",
    metadata,
    Column("release", RowId, ForeignKey("releases.id"), primary_key=True),
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("request", JSON, nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("outdated_at", Instant),
)

export_members = Table(
    "export_members",
    metadata,
    Column("export", String(32), ForeignKey("exports.id"), primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), primary_key=True),
)
