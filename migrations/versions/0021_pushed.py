"""Devices that are told that a question waits, and what each was told; when a prompt was first pushed.

What 0003 and 0019 say of other tables holds for these: a new row rests on a grant of prompts that stands, speaks of
its own person's device and prompt, and stays theirs.

Revision: 0021
Before: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_GRANTED = (
    "SELECT 1 FROM grants g WHERE g.id = NEW.grant_id AND g.subject = NEW.subject AND g.scope = 'prompts'"
)
_OWN = (
    " AND EXISTS (SELECT 1 FROM push_devices d WHERE d.id = NEW.device AND d.subject = NEW.subject)"
    " AND EXISTS (SELECT 1 FROM prompts p WHERE p.id = NEW.prompt AND p.subject = NEW.subject)"
)
_RULES = {
    "push_devices": (_GRANTED, "id subject grant_id digest"),
    "push_messages": (_GRANTED + _OWN, "id subject grant_id device prompt number"),
}
"""On what a new row rests, and what of it never changes, by table."""


def upgrade() -> None:
    op.add_column("prompts", sa.Column("pushed_at", Instant(), nullable=True))
    op.create_table(
        "push_devices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in", RowId, nullable=True),
        *_written("push_devices"),
        sa.UniqueConstraint("digest", name=op.f("uq_push_devices_digest")),
    )
    op.create_index(op.f("ix_push_devices_subject"), "push_devices", ["subject"], unique=False)
    op.create_table(
        "push_messages",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("prompt", RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        *_written("push_messages"),
        sa.ForeignKeyConstraint(
            ["device"], ["push_devices.id"], name=op.f("fk_push_messages_device_push_devices")
        ),
        sa.ForeignKeyConstraint(["prompt"], ["prompts.id"], name=op.f("fk_push_messages_prompt_prompts")),
        sa.UniqueConstraint("device", "prompt", "number", name=op.f("uq_push_messages_device_prompt_number")),
    )
    for column in ("subject", "due_at", "prompt"):
        op.create_index(op.f(f"ix_push_messages_{column}"), "push_messages", [column], unique=False)
    for table, (rests_on, fixed) in _RULES.items():
        _guard(table, rests_on, fixed.split())


def downgrade() -> None:
    for table in reversed(_RULES):
        for rule in ("stays", "granted"):
            if op.get_bind().dialect.name == "sqlite":
                op.execute(f"DROP TRIGGER {table}_{rule}")
            else:
                op.execute(f"DROP TRIGGER {table}_{rule} ON {table}")
                op.execute(f"DROP FUNCTION {table}_{rule}")
        op.drop_table(table)
    op.drop_column("prompts", "pushed_at")


def _written(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("study", RowId, nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f(f"fk_{table}_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _guard(table: str, rests_on: str, fixed: list[str]) -> None:
    none = f"no grant that stands covers a new row of {table}"
    stays = f"a row of {table} stays whose it is, under its grant and at its moment"
    columns = ", ".join(f'"{name}"' for name in fixed)
    if op.get_bind().dialect.name == "sqlite":
        changed = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in fixed)
        op.execute(
            f"CREATE TRIGGER {table}_granted BEFORE INSERT ON {table} WHEN NOT EXISTS ({rests_on}) "
            f"BEGIN SELECT RAISE(ABORT, '{none}'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OF {columns} ON {table} WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{stays}'); END"
        )
        return
    changed = " OR ".join(f'NEW."{name}" IS DISTINCT FROM OLD."{name}"' for name in fixed)
    _function(
        f"{table}_granted",
        f"PERFORM {rests_on.removeprefix('SELECT ')} FOR KEY SHARE OF g; "
        f"IF NOT FOUND THEN RAISE EXCEPTION '{none}'; END IF; RETURN NEW;",
        f"BEFORE INSERT ON {table}",
    )
    _function(
        f"{table}_stays",
        f"IF {changed} THEN RAISE EXCEPTION '{stays}'; END IF; RETURN NEW;",
        f"BEFORE UPDATE OF {columns} ON {table}",
    )


def _function(name: str, body: str, when: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}()")
