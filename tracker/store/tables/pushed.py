"""Devices that are told that a question waits, and what each was told."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from tracker.store.tables.columns import grant, metadata, study, subject
from tracker.store.types import Instant, RowId

push_devices = Table(
    "push_devices",
    metadata,
    Column("id", String(32), primary_key=True),
    subject(),
    # Keyed: a browser that somebody else switches on is theirs from then on, and nobody finds an address by it.
    Column("digest", String(64), nullable=False, unique=True),
    # Its address at the push service, whose that is, and what kind of browser it is.
    Column("sealed", LargeBinary, nullable=False),
    # The number of the sign-in of that browser, with which it ends; no foreign key, since sign-ins are forgotten first.
    Column("sign_in", RowId),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

# One for each prompt, each time that it is put or recalled, and each device: none is sent twice, whatever restarts.
push_messages = Table(
    "push_messages",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("device", String(32), ForeignKey("push_devices.id"), nullable=False),
    Column("prompt", RowId, ForeignKey("prompts.id"), nullable=False, index=True),
    # 0: as it was put; else the how manieth reminder.
    Column("number", Integer, nullable=False),
    # When it is to be tried (again). NULL: it is on its way, or over. Emptied before anything is sent, so that what a
    # killed process may have sent is not sent again.
    Column("due_at", Instant),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("outcome", String(16)),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("device", "prompt", "number"),
    Index(None, "subject"),
    Index(None, "due_at"),
)
