"""What raters are given, say and decide, and what they agreed to themselves."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from tracker.store.tables.columns import emotions, grant, metadata, study, subject
from tracker.store.types import Instant, RowId

# What raters are given, say and decide about a participant: rows under the participant's grant of share_with_raters.
# `member` is a rater's id without a foreign key: what a participant's rows point to would be the participant's.
rating_tasks = Table(
    "rating_tasks",
    metadata,
    # Random: what a rater opens is a task of their own, never an observation by its number.
    Column("id", String(32), primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("kind", String(8), nullable=False),
    # The how manieth of its rater's.
    Column("turn", Integer, nullable=False),
    Column("because", String(16), nullable=False),
    # Whether chance alone chose it, so that its answer speaks for all items; whether the answer is known already.
    Column("random", Boolean, nullable=False),
    Column("gold", Boolean, nullable=False),
    Column("offered_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=False),
    Column("put_off_at", Instant),
    Column("done_at", Instant),
    grant(),
    study(),
    UniqueConstraint("member", "kind", "observation"),
    Index(None, "subject"),
)

rating_votes = Table(
    "rating_votes",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("task", String(32), ForeignKey("rating_tasks.id"), nullable=False, index=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("verdict", String(16), nullable=False),
    *emotions(nullable=True),
    Column("valence", Double),
    Column("arousal", Double),
    Column("suggestion_shown", Boolean, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("response_ms", Integer),
    Column("visible_ms", Integer),
    Column("key", String(64), nullable=False),
    Column("supersedes", RowId, ForeignKey("rating_votes.id"), unique=True),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("member", "key"),
    Index(None, "subject"),
)

rating_traces = Table(
    "rating_traces",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("task", String(32), ForeignKey("rating_tasks.id"), nullable=False, index=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("dimension", String(16), nullable=False),
    # As they were drawn: instant (microseconds since 1970 UTC), value, observation shown. The lag is for the reader.
    Column("samples", JSON, nullable=False),
    Column("lag_s", Double, nullable=False),
    Column("key", String(64), nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("member", "key"),
    Index(None, "subject"),
)

# Items whose answer is known: put among the others, where nobody who rates can tell them.
rating_gold = Table(
    "rating_gold",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, unique=True),
    *emotions(),
    Column("decided_by", String(32)),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

# What somebody else than the raters decided about an item.
adjudications = Table(
    "adjudications",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("decided_by", String(32)),
    Column("verdict", String(16), nullable=False),
    *emotions(nullable=True),
    Column("key", String(64), nullable=False),
    Column("supersedes", RowId, ForeignKey("adjudications.id"), unique=True),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("decided_by", "key"),
    Index(None, "subject"),
)

# What raters agreed to be measured in, and how they set up their keys.
rater_consents = Table(
    "rater_consents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("member", String(32), ForeignKey("members.id"), nullable=False, index=True),
    Column("scope", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("notice", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

rater_settings = Table(
    "rater_settings",
    metadata,
    Column("member", String(32), ForeignKey("members.id"), primary_key=True),
    Column("keys", JSON, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
