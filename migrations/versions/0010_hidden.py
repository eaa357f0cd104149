"""Stretches of time that a participant lets nobody else see, export or learn from.

Revision: 0010
Before: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hidden",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("shown_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_hidden_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hidden")),
    )
    op.create_index(op.f("ix_hidden_subject_starts_at"), "hidden", ["subject", "starts_at"], unique=False)


def downgrade() -> None:
    op.drop_table("hidden")
