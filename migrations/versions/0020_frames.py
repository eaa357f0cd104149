"""The video that participants let be kept: frame by frame, sealed, one for an observation at most.

What was said of `crops` in 0003 and 0019 holds for it: a new row rests on the grant of its scope, and no UPDATE moves
it to another person, grant or moment.

Revision: 0020
Before: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_RESTS_ON = (
    "SELECT 1 FROM grants g WHERE g.id = NEW.grant_id AND g.subject = NEW.subject AND g.scope = 'raw_video'"
)
_NO_GRANT = "no grant that stands covers a new row of frames"
_FIXED = ("id", "subject", "grant_id", "observation")
_STAYS = "a row of frames stays whose it is, under its grant and at its moment"


def upgrade() -> None:
    op.create_table(
        "frames",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("observation", RowId, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("study", RowId, nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_frames_subject_subjects")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_frames_observation_observations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frames")),
        sa.UniqueConstraint("observation", name=op.f("uq_frames_observation")),
    )
    op.create_index(op.f("ix_frames_subject"), "frames", ["subject"], unique=False)
    differs = "IS NOT" if op.get_bind().dialect.name == "sqlite" else "IS DISTINCT FROM"
    moved = " OR ".join(f'NEW."{name}" {differs} OLD."{name}"' for name in _FIXED)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER frames_granted BEFORE INSERT ON frames WHEN NOT EXISTS ({_RESTS_ON}) "
            f"BEGIN SELECT RAISE(ABORT, '{_NO_GRANT}'); END"
        )
        op.execute(
            f"CREATE TRIGGER frames_stays BEFORE UPDATE OF {', '.join(_FIXED)} ON frames WHEN {moved} "
            f"BEGIN SELECT RAISE(ABORT, '{_STAYS}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION frames_granted() RETURNS trigger LANGUAGE plpgsql AS $$ "
        # Locked until the writer commits: a withdrawal waits for it, even if the writer went past the gate.
        f"BEGIN PERFORM {_RESTS_ON.removeprefix('SELECT ')} FOR KEY SHARE OF g; "
        f"IF NOT FOUND THEN RAISE EXCEPTION '{_NO_GRANT}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER frames_granted BEFORE INSERT ON frames FOR EACH ROW EXECUTE FUNCTION frames_granted()"
    )
    op.execute(
        "CREATE FUNCTION frames_stays() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {moved} THEN RAISE EXCEPTION '{_STAYS}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER frames_stays BEFORE UPDATE OF {', '.join(_FIXED)} ON frames "
        "FOR EACH ROW EXECUTE FUNCTION frames_stays()"
    )


def downgrade() -> None:
    op.drop_table("frames")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION frames_granted")
        op.execute("DROP FUNCTION frames_stays")
