"""What participants say: questions put, answers, where they were, notes, and what nobody else shall see."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

contexts = Table(
    "contexts",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("place", String(64)),
    Column("activity", String(64)),
    Column("company", String(64)),
    # The random key of the answer that it is part of; NULL where it was said by itself.
    Column("key", String(36)),
    imported_from(),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "at"),
    Index(None, "subject", "key", unique=True),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("slot", String(64), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("scheduled_at", Instant, nullable=False),
    Column("notified_at", Instant),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("state", String(16), nullable=False),
    # Why it was put, where the program chose the moment; and whether chance did, so that it speaks for all moments.
    Column("reason", String(16)),
    Column("random", Boolean, nullable=False),
    # From when on it cannot be answered, whoever has written that down; when it was recalled last, and how often.
    Column("expires_at", Instant),
    Column("reminded_at", Instant),
    Column("reminders", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", Instant),
    # When a push service first took the word that it waits; NULL: no device was told, or none is known to have been.
    Column("pushed_at", Instant),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("subject", "slot"),
)

# Where a participant said that they were, and since when; the zone that holds now stands in `participants`.
zones = Table(
    "zones",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("zone", String(64), nullable=False),
    Column("since", Instant, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "since"),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), index=True),
    Column("prompt", RowId, ForeignKey("prompts.id"), index=True),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("target", String(32), nullable=False),
    Column("value", Double),
    *emotions(nullable=True),
    Column("rater", String(32), nullable=False),
    Column("suggestion_shown", Boolean, nullable=False),
    Column("supersedes", RowId, ForeignKey("corrections.id"), unique=True),
    # Of an answer in the web app: how strong it was, how long it took, and the random key under which it counts once.
    Column("intensity", Double),
    Column("response_ms", Integer),
    Column("key", String(36)),
    # Under which grant of share_with_raters it was put together from what raters said; NULL where nobody else said it.
    Column("rated_grant", BigInteger),
    imported_from(),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "at"),
    Index(None, "subject", "key", "target", unique=True),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(32), primary_key=True),
    subject(),
    Column("correction", RowId, ForeignKey("corrections.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

# What a participant lets nobody else see. It rests on no grant: whoever withdrew everything may still hide something.
hidden = Table(
    "hidden",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # When it was shown again: what was exported meanwhile can be exported again as it was.
    Column("shown_at", Instant),
    Index(None, "subject", "starts_at"),
)
