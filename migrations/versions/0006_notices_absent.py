"""When a notice did not stand between two times that it did: so that consent at any past instant stays recomputable.

Revision: 0006
Before: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("absent", sa.JSON()))


def downgrade() -> None:
    op.drop_column("notices", "absent")
