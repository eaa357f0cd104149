"""For how many an observation or an estimate stands: retention may make a series coarser.

Revision: 0007
Before: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("observations", "estimates")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("samples", sa.Integer(), server_default=sa.text("1"), nullable=False))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "samples")
