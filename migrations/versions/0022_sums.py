"""Sums are held to the rows that they are sums of: none stands without one, and none grows without a grant.

A quarter hour's sum is made of observations of possibly several grants, so it carries none of them; each of its
observations does, and was checked against it. What makes sums anew, because rows went, deletes and inserts them: that
asks for no grant, since it also happens after a withdrawal. What adds to a sum asks for one that stands.

Revision: 0022
Before: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ENDS = {"sqlite": "NEW.bucket + 900000000", "postgresql": "NEW.bucket + interval '15 minutes'"}
_RULES = {
    "summaries_derived": (
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM observations o"
        " WHERE o.subject = NEW.subject AND o.at >= NEW.bucket AND o.at < {ends})",
        "no row of that quarter hour makes up this sum",
    ),
    "summaries_granted": (
        "UPDATE OF n",
        "NEW.n > OLD.n AND NOT EXISTS"
        " (SELECT 1 FROM grants g WHERE g.subject = NEW.subject AND g.scope = 'affect_series')",
        "no grant that stands covers what this sum would grow by",
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name, (event, when, told) in _RULES.items():
        refused = when.format(ends=_ENDS[dialect])
        if dialect == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON summaries WHEN {refused} "
                f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
            )
            continue
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {refused} THEN RAISE EXCEPTION '{told}'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON summaries FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for name in _RULES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON summaries")
            op.execute(f"DROP FUNCTION {name}")
