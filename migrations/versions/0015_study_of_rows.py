"""Under which version of the study each row was written: what was applied stays there, and has its hash.

Revision: 0015
Before: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import RowId

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = (
    "adjudications",
    "consent_events",
    "contexts",
    "corrections",
    "crops",
    "drifts",
    "erasure_requests",
    "estimates",
    "learning_events",
    "notes",
    "observations",
    "prior_members",
    "prompts",
    "rating_gold",
    "rating_tasks",
    "rating_traces",
    "rating_votes",
    "snapshots",
    "zones",
)


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("study", RowId, nullable=True))


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_column(table, "study")
