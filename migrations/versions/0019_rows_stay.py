"""Rows stay whose they are: no UPDATE moves one to another person, another grant or another moment.

The triggers of 0003 look at new rows alone. These refuse to change what a new row was let through for: whose it is,
under which grant it was written, of which moment it speaks, and to what it points where that decides any of these.
Two things stay possible, because retention and erasure need them: what may point to nothing may be made to point to
nothing; and where a series is made coarser, an observation moves to where its minute or its hour begins, and what
hangs on others goes to it, if it is the same person's.

Revision: 0019
Before: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

_MINE = "id subject grant_id"
FIXED = {
    "adjudications": f"{_MINE} observation",
    "contexts": f"{_MINE} at",
    "corrections": f"{_MINE} at",
    "crops": f"{_MINE} observation",
    "drifts": f"{_MINE} at",
    "estimates": "id grant_id",
    "grants": "id subject scope",
    "hidden": "id subject starts_at ends_at",
    "learning_events": f"{_MINE} correction",
    "notes": f"{_MINE} correction",
    "observations": _MINE,
    "prior_members": "prior subject grant_id learn_since",
    "prompts": f"{_MINE} scheduled_at",
    "rating_gold": f"{_MINE} observation",
    "rating_tasks": f"{_MINE} observation member",
    "rating_traces": f"{_MINE} observation task member",
    "rating_votes": f"{_MINE} observation task member",
    "release_members": "release subject",
    "snapshots": f"{_MINE} rebased_at",
    "summaries": "subject bucket series",
    "zones": f"{_MINE} since",
}
"""What never changes, by table."""

LOOSENED = {"corrections": "prompt rated_grant"}
"""What may be made to point to nothing, and to nothing else: an answer outlives its prompt."""

_WHOSE = "(SELECT o.subject FROM observations o WHERE o.id = {row}.observation)"
_ELSEWHERE = f"{_WHOSE.format(row='NEW')} {{differs}} {_WHOSE.format(row='OLD')}"
REFUSED = {
    # The network's own word rests on the grant of the series, a learner's on that of learning.
    "estimates": ("observation snapshot", f"{_ELSEWHERE} OR (NEW.snapshot = 0) <> (OLD.snapshot = 0)"),
    "corrections": ("observation", f"NEW.observation IS NOT NULL AND {_ELSEWHERE}"),
    # What becomes coarser begins with its minute or its hour; there it stays, however often it is moved.
    "observations": (
        "at",
        "NEW.at {differs} OLD.at AND NOT (NEW.source LIKE 'coarse:%' AND NEW.at IN ({starts}))",
    ),
}
"""What changes within bounds: the columns, and the condition under which a change is refused."""

_DIALECTS = {
    "sqlite": {
        "differs": "IS NOT",
        "starts": "OLD.at - OLD.at % 60000000, OLD.at - OLD.at % 3600000000",
    },
    "postgresql": {
        "differs": "IS DISTINCT FROM",
        "starts": "date_trunc('minute', OLD.at, 'UTC'), date_trunc('hour', OLD.at, 'UTC')",
    },
}
_TOLD = "a row of {table} stays whose it is, under its grant and at its moment"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in FIXED:
        columns, refused = _rule(table, dialect)
        told = _TOLD.format(table=table)
        if dialect == "sqlite":
            op.execute(
                f"CREATE TRIGGER {table}_stays BEFORE UPDATE OF {columns} ON {table} WHEN {refused} "
                f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
            )
            continue
        op.execute(
            f"CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OF {columns} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )


def downgrade() -> None:
    for table in FIXED:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_stays")
        else:
            op.execute(f"DROP TRIGGER {table}_stays ON {table}")
            op.execute(f"DROP FUNCTION {table}_stays")


def _rule(table: str, dialect: str) -> tuple[str, str]:
    """The columns that are looked at when they change, and when that is refused."""
    fixed, loosened = FIXED[table].split(), LOOSENED.get(table, "").split()
    within, when = REFUSED.get(table, ("", ""))
    told = _DIALECTS[dialect]
    parts = [f'NEW."{name}" {told["differs"]} OLD."{name}"' for name in fixed]
    parts += [
        f'(NEW."{name}" IS NOT NULL AND NEW."{name}" {told["differs"]} OLD."{name}")' for name in loosened
    ]
    if when:
        parts.append(f"({when.format(**told)})")
    names = (*fixed, *loosened, *within.split())
    return ", ".join(f'"{name}"' for name in names), " OR ".join(parts)
