"""From which file of another program a row comes, where it was neither captured nor said here.

Revision: 0017
Before: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TABLES = ("observations", "contexts", "corrections")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("imported_from", sa.String(length=64), nullable=True))


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_column(table, "imported_from")
