"""Tokens of programs, and the answers that they were given to requests they may send again.

Revision: 0016
Before: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OF_BOTH = ("tokens", "repeats")


def upgrade() -> None:
    _of_both(
        "tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_on", Instant(), nullable=True),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    _of_both(
        "repeats",
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("asked_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.UniqueConstraint("key_digest", name=op.f("uq_repeats_key_digest")),
    )


def downgrade() -> None:
    for table in reversed(OF_BOTH):
        op.drop_table(table)


def _of_both(table: str, *parts: sa.schema.SchemaItem) -> None:
    """A table whose rows are a participant's or a member's."""
    op.create_table(
        table,
        sa.Column("id", sa.String(length=32), nullable=False),
        *parts,
        sa.Column("participant", sa.String(length=32), nullable=True),
        sa.Column("member", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f(f"fk_{table}_participant_participants")
        ),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f(f"fk_{table}_member_members")),
        sa.CheckConstraint("(participant IS NULL) <> (member IS NULL)", name=op.f(f"ck_{table}_whose")),
    )
    for whose in ("participant", "member"):
        op.create_index(op.f(f"ix_{table}_{whose}"), table, [whose], unique=False)
