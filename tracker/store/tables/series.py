"""What was seen of a participant: observations, readings, and the faces themselves."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from tracker.store.tables.columns import emotions, grant, imported_from, metadata, study, subject
from tracker.store.types import Instant, RowId

observations = Table(
    "observations",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("source", String(64), nullable=False),
    Column("pts_us", RowId, nullable=False),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("time_source", String(16), nullable=False),
    Column("reason", String(16)),
    Column("faces", Integer, nullable=False),
    Column("box_x", Double),
    Column("box_y", Double),
    Column("box_w", Double),
    Column("box_h", Double),
    Column("detector", String(32)),
    Column("score", Double),
    Column("sharpness", Double),
    Column("aligned", Boolean),
    # How many observations it stands for: more than itself once retention made the series coarser.
    Column("samples", Integer, nullable=False, server_default=text("1")),
    imported_from(),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("subject", "source", "pts_us"),
    Index(None, "subject", "at"),
)

estimates = Table(
    "estimates",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False),
    Column("network", String(64), nullable=False),
    # 0 is the network itself: a NULL would not take part in the unique key.
    Column("snapshot", RowId, nullable=False),
    *emotions(),
    # How many readings it is the mean of.
    Column("samples", Integer, nullable=False, server_default=text("1")),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("observation", "network", "snapshot"),
)

summaries = Table(
    "summaries",
    metadata,
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
    Column("bucket", Instant, primary_key=True),
    Column("series", String(80), primary_key=True),
    Column("n", Integer, nullable=False),
    *emotions(),
)

crops = Table(
    "crops",
    metadata,
    Column("id", String(32), primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

frames = Table(
    "frames",
    metadata,
    Column("id", String(32), primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)
