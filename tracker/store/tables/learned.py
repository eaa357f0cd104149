"""What learners keep: what they were told, what they know, and what they start from."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Double, ForeignKey, Index, Integer, String, Table

from tracker.store.tables.columns import emotions, grant, metadata, study, subject
from tracker.store.types import Instant, RowId

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("target", String(32), nullable=False),
    Column("prior", String(64), nullable=False),
    Column("rebased_at", Instant, nullable=False),
    Column("log_position", RowId, nullable=False),
    # From which instant on it learns each kind of thing; None where the scope is not in force.
    Column("learn_since", Instant, nullable=False),
    Column("context_since", Instant),
    Column("prompts_since", Instant),
    Column("raters_since", Instant),
    # What was learned before counts less: the instant of the newest drift.
    Column("faded_before", Instant),
    Column("parameters", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    grant(),
    study(),
    Column("created_at", Instant, nullable=False),
    Index(None, "subject", "target", "id"),
    # Estimates name snapshots by number; a number must not come back after its snapshot was deleted.
    sqlite_autoincrement=True,
)

learning_events = Table(
    "learning_events",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("correction", RowId, ForeignKey("corrections.id"), nullable=False, unique=True),
    Column("target", String(32), nullable=False),
    Column("features", JSON, nullable=False),
    # The label: a distribution for the target emotion, a value for every other.
    *emotions(nullable=True),
    Column("value", Double),
    Column("weight", Double, nullable=False),
    # Predict before learn: what the learner and the network said while they did not know the answer.
    Column("predicted", JSON, nullable=False),
    Column("machine", JSON),
    # For targets other than emotion: what was known at the moment, what the features would be without contexts or
    # without the person's past, and the earliest instant of each kind of thing that the features rest on.
    Column("situation", JSON),
    Column("cut", JSON),
    Column("seen_from", Instant),
    Column("past_from", Instant),
    Column("context_from", Instant),
    Column("prompts_from", Instant),
    Column("snapshot_before", RowId, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "target", "id"),
)

priors = Table(
    "priors",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("target", String(32), nullable=False, index=True),
    Column("parameters", JSON, nullable=False),
    Column("people", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("fitted_at", Instant, nullable=False),
    # Somebody whose answers are in it has left: nothing starts from it any more, and what did is not asked.
    Column("retired_at", Instant),
)

prior_members = Table(
    "prior_members",
    metadata,
    Column("prior", String(64), ForeignKey("priors.id"), primary_key=True),
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
    # What each allowed when it was fitted, as in a snapshot.
    Column("learn_since", Instant, nullable=False),
    Column("context_since", Instant),
    Column("prompts_since", Instant),
    grant(),
    study(),
)

drifts = Table(
    "drifts",
    metadata,
    Column("id", RowId, primary_key=True),
    subject(),
    Column("target", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", JSON, nullable=False),
    grant(),
    study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "target", "at"),
)
