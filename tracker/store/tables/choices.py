"""What was agreed to and on which text, who of the staff looked, what shall be erased and what was."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, LargeBinary, String, Table, UniqueConstraint

from tracker.store.tables.columns import metadata, study, subject
from tracker.store.types import Instant, RowId


def _log(name: str) -> Table:
    """A chain of commitments, which stays for ever and names nobody."""
    return Table(
        name,
        metadata,
        Column("seq", RowId, primary_key=True, autoincrement=False),
        Column("commitment", String(64), nullable=False),
        Column("recorded_at", Instant, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )


def _events(name: str, log: Table, *more: Column[int]) -> Table:
    """What the rows of a log commit to, sealed under the person's key."""
    return Table(
        name,
        metadata,
        Column("seq", RowId, ForeignKey(log.c.seq), primary_key=True, autoincrement=False),
        Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
        Column("recorded_at", Instant, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("salt", LargeBinary, nullable=False),
        *more,
    )


consent_log = _log("consent_log")

# Scope, state, notice, starts and ends, recorder and evidence of each choice.
consent_events = _events("consent_events", consent_log, study())

# Who of the staff looked at whom and at what: the same kind of chain.
access_log = _log("access_log")

access_events = _events("access_events", access_log)

# What was said and who looked in the installation that somebody's data were imported from: it allows nothing here.
former_records = Table(
    "former_records",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

# The keyed table of grants in force: one row per subject and scope, replaced by a new grant, deleted by a withdrawal.
# It has no clock: what has expired stands here still, and is refused by the permit.
grants = Table(
    "grants",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    subject(),
    Column("scope", String(32), nullable=False),
    UniqueConstraint("subject", "scope"),
)

notices = Table(
    "notices",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("version", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("document", JSON, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("retired_at", Instant),
    # Pairs of instants (ISO 8601) between which it did not stand, for a text that stood again afterwards.
    Column("absent", JSON),
)

erasure_requests = Table(
    "erasure_requests",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
    Column("scope", String(32), nullable=False),
    Column("due_at", Instant),
    Column("answer", String(16), nullable=False),
    study(),
    Column("recorded_at", Instant, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject_digest", String(64), nullable=False, unique=True),
    Column("erased_at", Instant, nullable=False),
    Column("counts", JSON, nullable=False),
)
