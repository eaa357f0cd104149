"""What programs ask with in somebody's name, and what they were answered."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Integer, LargeBinary, String, Table

from tracker.store.tables.columns import metadata
from tracker.store.tables.people import whose
from tracker.store.types import Instant

# For stated purposes in one study; only the digest is here.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    *whose(),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("study", String(64), nullable=False),
    Column("purposes", JSON, nullable=False),
    # A token ends with the sessions of its person: it works while this is the version of their account.
    Column("session_version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    # The day alone: when somebody's program asks would tell when they are awake.
    Column("used_on", Instant),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

# Answers to requests under a key of the program's, so that one that is sent twice is carried out once.
repeats = Table(
    "repeats",
    metadata,
    Column("id", String(32), primary_key=True),
    *whose(),
    Column("key_digest", String(64), nullable=False, unique=True),
    Column("asked_digest", String(64), nullable=False),
    # Empty while it is being answered.
    Column("status", Integer),
    Column("sealed", LargeBinary),
    Column("claimed_at", Instant, nullable=False),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)
