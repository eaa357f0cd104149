"""Answers in seconds: how strong, how long it took, and a key under which each is stored once.

Revision: 0012
Before: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ADDED = (
    ("corrections", "intensity", sa.Double()),
    ("corrections", "response_ms", sa.Integer()),
    ("corrections", "key", sa.String(length=36)),
    ("contexts", "key", sa.String(length=36)),
)
_ONCE = {
    "corrections": ("subject", "key", "target"),
    "contexts": ("subject", "key"),
}


def upgrade() -> None:
    for table, name, kind in _ADDED:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    # NULL is equal to nothing: only what carries a key can be there twice.
    for table, columns in _ONCE.items():
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns, unique=True)


def downgrade() -> None:
    for table, columns in _ONCE.items():
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)
    for table, name, _ in reversed(_ADDED):
        op.drop_column(table, name)
