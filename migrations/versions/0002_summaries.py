"""Quarter-hour summaries of each series, computed from the rows that are there.

Revision: 0002
Before: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.summaries import summarise_again
from tracker.store.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "summaries",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("bucket", Instant(), nullable=False),
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p_neutral", sa.Double(), nullable=False),
        sa.Column("p_happiness", sa.Double(), nullable=False),
        sa.Column("p_surprise", sa.Double(), nullable=False),
        sa.Column("p_sadness", sa.Double(), nullable=False),
        sa.Column("p_anger", sa.Double(), nullable=False),
        sa.Column("p_disgust", sa.Double(), nullable=False),
        sa.Column("p_fear", sa.Double(), nullable=False),
        sa.Column("p_contempt", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_summaries_subject_subjects")),
        sa.PrimaryKeyConstraint("subject", "bucket", "series", name=op.f("pk_summaries")),
    )
    connection = op.get_bind()
    for (subject,) in connection.execute(sa.text("SELECT id FROM subjects ORDER BY id")).all():
        summarise_again(connection, subject)


def downgrade() -> None:
    op.drop_table("summaries")
