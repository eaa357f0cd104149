"""Members of the staff, invitations, what people log in with beside a password, and their own sign-ins.

Revision: 0009
Before: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OF_BOTH = ("invitations", "factors", "sign_ins")


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_digest", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("name_digest", name=op.f("uq_members_name_digest")),
    )
    op.create_table(
        "member_roles",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_member_roles_member_members")),
        sa.PrimaryKeyConstraint("member", "study", "role", name=op.f("pk_member_roles")),
    )
    _of_both(
        "invitations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
    )
    _of_both(
        "factors",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factors")),
        sa.UniqueConstraint("digest", name=op.f("uq_factors_digest")),
    )
    _of_both(
        "sign_ins",
        sa.Column("id", RowId, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )


def downgrade() -> None:
    for table in (*reversed(OF_BOTH), "member_roles", "members"):
        op.drop_table(table)


def _of_both(table: str, *parts: sa.schema.SchemaItem) -> None:
    """A table whose rows are a participant's or a member's."""
    op.create_table(
        table,
        *parts,
        sa.Column("participant", sa.String(length=32), nullable=True),
        sa.Column("member", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f(f"fk_{table}_participant_participants")
        ),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f(f"fk_{table}_member_members")),
        sa.CheckConstraint("(participant IS NULL) <> (member IS NULL)", name=op.f(f"ck_{table}_whose")),
    )
    for whose in ("participant", "member"):
        op.create_index(op.f(f"ix_{table}_{whose}"), table, [whose], unique=False)
