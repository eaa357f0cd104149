"""What raters are given, say and decide; on which grant a correction made of it rests; what learners hold of it.

Revision: 0011
Before: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
_GRANTED = ("rating_tasks", "rating_votes", "rating_traces", "rating_gold", "adjudications")
_SHARED = (
    "SELECT 1 FROM grants g WHERE g.id = NEW.{column} AND g.subject = NEW.subject "
    "AND g.scope = 'share_with_raters'"
)
_NO_GRANT = "no grant that stands covers a new row of {table}"
_RESTS_ON = {
    **{f"{table}_granted": (table, "", _SHARED.format(column="grant_id")) for table in _GRANTED},
    "corrections_rated": ("corrections", "NEW.rated_grant IS NOT NULL", _SHARED.format(column="rated_grant")),
}
"""The triggers by name: on which table, when, and what has to be in the table of grants."""


def upgrade() -> None:
    _about_an_item(
        "rating_tasks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(length=16), nullable=False),
        sa.Column("random", sa.Boolean(), nullable=False),
        sa.Column("gold", sa.Boolean(), nullable=False),
        sa.Column("offered_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=False),
        sa.Column("put_off_at", Instant(), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.UniqueConstraint(
            "member", "kind", "observation", name=op.f("uq_rating_tasks_member_kind_observation")
        ),
    )
    _about_an_item(
        "rating_votes",
        sa.Column("id", RowId, nullable=False),
        _task(),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        *_emotions(nullable=True),
        sa.Column("valence", sa.Double(), nullable=True),
        sa.Column("arousal", sa.Double(), nullable=True),
        sa.Column("suggestion_shown", sa.Boolean(), nullable=False),
        sa.Column("shown_at", Instant(), nullable=False),
        sa.Column("response_ms", sa.Integer(), nullable=True),
        sa.Column("visible_ms", sa.Integer(), nullable=True),
        *_once("rating_votes", "member"),
        *_superseding("rating_votes"),
        _of_task("rating_votes"),
        _recorded(),
    )
    _about_an_item(
        "rating_traces",
        sa.Column("id", RowId, nullable=False),
        _task(),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.Column("lag_s", sa.Double(), nullable=False),
        *_once("rating_traces", "member"),
        _of_task("rating_traces"),
        _recorded(),
    )
    _about_an_item(
        "rating_gold",
        sa.Column("id", RowId, nullable=False),
        *_emotions(nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        _recorded(),
        sa.UniqueConstraint("observation", name=op.f("uq_rating_gold_observation")),
        indexed=False,
    )
    _about_an_item(
        "adjudications",
        sa.Column("id", RowId, nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        *_emotions(nullable=True),
        *_once("adjudications", "decided_by"),
        *_superseding("adjudications"),
        _recorded(),
    )
    for table in ("rating_votes", "rating_traces"):
        op.create_index(op.f(f"ix_{table}_task"), table, ["task"], unique=False)
    op.create_table(
        "rater_consents",
        sa.Column("id", RowId, nullable=False),
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        _recorded(),
        _of_member("rater_consents"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rater_consents")),
    )
    op.create_index(op.f("ix_rater_consents_member"), "rater_consents", ["member"], unique=False)
    op.create_table(
        "rater_settings",
        sa.Column("member", sa.String(length=32), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        _of_member("rater_settings"),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_rater_settings")),
    )
    op.add_column("corrections", sa.Column("rated_grant", sa.BigInteger(), nullable=True))
    op.add_column("snapshots", sa.Column("raters_since", Instant(), nullable=True))
    for name, (table, when, rests_on) in _RESTS_ON.items():
        _create_trigger(name, table, when, rests_on)


def downgrade() -> None:
    for name, (table, _, _) in _RESTS_ON.items():
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}")
    op.drop_column("snapshots", "raters_since")
    op.drop_column("corrections", "rated_grant")
    for table in ("rater_settings", "rater_consents", *reversed(_GRANTED)):
        op.drop_table(table)


def _create_trigger(name: str, table: str, when: str, rests_on: str) -> None:
    told = _NO_GRANT.format(table=table)
    if op.get_bind().dialect.name == "sqlite":
        condition = f"{when} AND NOT EXISTS" if when else "NOT EXISTS"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {condition} ({rests_on}) "
            f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
        # Locked until the writer commits: a withdrawal waits for it, even if the writer went past the gate.
        f"BEGIN PERFORM {rests_on.removeprefix('SELECT ')} FOR KEY SHARE OF g; "
        f"IF NOT FOUND THEN RAISE EXCEPTION '{told}'; END IF; RETURN NEW; END $$"
    )
    condition = f"WHEN ({when}) " if when else ""
    op.execute(
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {name}()"
    )


def _about_an_item(table: str, *parts: sa.schema.SchemaItem, indexed: bool = True) -> None:
    """A table whose rows are about an observation of a participant, under their grant."""
    op.create_table(
        table,
        *parts,
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("observation", RowId, nullable=False),
        sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f(f"fk_{table}_subject_subjects")),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f(f"fk_{table}_observation_observations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_subject"), table, ["subject"], unique=False)
    if indexed:
        op.create_index(op.f(f"ix_{table}_observation"), table, ["observation"], unique=False)


def _emotions(nullable: bool) -> list[sa.Column[float]]:
    return [sa.Column(f"p_{name}", sa.Double(), nullable=nullable) for name in _EMOTIONS]


def _recorded() -> sa.Column[object]:
    return sa.Column("recorded_at", Instant(), nullable=False)


def _task() -> sa.Column[str]:
    return sa.Column("task", sa.String(length=32), nullable=False)


def _of_task(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["task"], ["rating_tasks.id"], name=op.f(f"fk_{table}_task_rating_tasks"))


def _of_member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f(f"fk_{table}_member_members"))


def _once(table: str, whose: str) -> tuple[sa.schema.SchemaItem, ...]:
    """The key of one decision: sent twice, it is stored once."""
    return (
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.UniqueConstraint(whose, "key", name=op.f(f"uq_{table}_{whose}_key")),
    )


def _superseding(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("supersedes", RowId, nullable=True),
        sa.ForeignKeyConstraint(["supersedes"], [f"{table}.id"], name=op.f(f"fk_{table}_supersedes_{table}")),
        sa.UniqueConstraint("supersedes", name=op.f(f"uq_{table}_supersedes")),
    )
