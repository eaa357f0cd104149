"""When a prompt ends, how often it was recalled, and where the participant was: times and zones of prompts.

Revision: 0013
Before: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = ("expires_at", "reminded_at", "ended_at")
_RESTS_ON = (
    "SELECT 1 FROM grants g WHERE g.id = NEW.grant_id AND g.subject = NEW.subject AND g.scope = 'prompts'"
)
_NO_GRANT = "no grant that stands covers a new row of zones"


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("prompts", sa.Column(name, Instant(), nullable=True))
    op.add_column(
        "prompts", sa.Column("reminders", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_table(
        "zones",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_zones_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
    )
    op.create_index(op.f("ix_zones_subject_since"), "zones", ["subject", "since"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER zones_granted BEFORE INSERT ON zones WHEN NOT EXISTS ({_RESTS_ON}) "
            f"BEGIN SELECT RAISE(ABORT, '{_NO_GRANT}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION zones_granted() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN PERFORM {_RESTS_ON.removeprefix('SELECT ')} FOR KEY SHARE OF g; "
        f"IF NOT FOUND THEN RAISE EXCEPTION '{_NO_GRANT}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER zones_granted BEFORE INSERT ON zones FOR EACH ROW EXECUTE FUNCTION zones_granted()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER zones_granted")
    else:
        op.execute("DROP TRIGGER zones_granted ON zones")
        op.execute("DROP FUNCTION zones_granted")
    op.drop_table("zones")
    for name in ("reminders", *reversed(_COLUMNS)):
        op.drop_column("prompts", name)
