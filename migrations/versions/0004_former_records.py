"""What was chosen, and who looked, where imported data come from: kept as history, sealed, allowing nothing.

Revision: 0004
Before: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_records",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_former_records_participant_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_records")),
    )
    op.create_index(op.f("ix_former_records_participant"), "former_records", ["participant"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_former_records_participant"), table_name="former_records")
    op.drop_table("former_records")
