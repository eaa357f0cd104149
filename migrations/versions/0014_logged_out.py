"""When a session was logged out: a copy of its cookie is good no longer.

Revision: 0014
Before: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("ended_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("sign_ins", "ended_at")
