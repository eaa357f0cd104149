"""Quarter-hour summaries of each series, computed from the rows that are there.

Revision: 0002
Before: 0001
"""

from __future__ import annotations

from itertools import groupby

import sqlalchemy as sa
from alembic import op

from tracker.domain.affect import Distribution
from tracker.domain.series import Reason
from tracker.store.summaries import Tally
from tracker.store.timeline import newest
from tracker.store.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


_PROBABILITIES = (
    "p_neutral",
    "p_happiness",
    "p_surprise",
    "p_sadness",
    "p_anger",
    "p_disgust",
    "p_fear",
    "p_contempt",
)
# The tables as they are at this revision: the program's own have columns by now that these lack.
_OBSERVATIONS = sa.table(
    "observations", sa.column("id"), sa.column("subject"), sa.column("at", Instant()), sa.column("reason")
)
_ESTIMATES = sa.table(
    "estimates",
    *(sa.column(name) for name in ("id", "observation", "network", "snapshot", *_PROBABILITIES)),
)
_SUMMARIES = sa.table(
    "summaries",
    sa.column("subject"),
    sa.column("bucket", Instant()),
    sa.column("series"),
    sa.column("n"),
    *(sa.column(name) for name in _PROBABILITIES),
)


def upgrade() -> None:
    op.create_table(
        "summaries",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("bucket", Instant(), nullable=False),
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p_neutral", sa.Double(), nullable=False),
        sa.Column("p_happiness", sa.Double(), nullable=False),
        sa.Column("p_surprise", sa.Double(), nullable=False),
        sa.Column("p_sadness", sa.Double(), nullable=False),
        sa.Column("p_anger", sa.Double(), nullable=False),
        sa.Column("p_disgust", sa.Double(), nullable=False),
        sa.Column("p_fear", sa.Double(), nullable=False),
        sa.Column("p_contempt", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_summaries_subject_subjects")),
        sa.PrimaryKeyConstraint("subject", "bucket", "series", name=op.f("pk_summaries")),
    )
    for (subject,) in op.get_bind().execute(sa.text("SELECT id FROM subjects ORDER BY id")).all():
        _summarise(subject)


def downgrade() -> None:
    op.drop_table("summaries")


def _summarise(subject: str) -> None:
    o, e, tally = _OBSERVATIONS.c, _ESTIMATES.c, Tally(subject)
    query = (
        sa.select(o.id, o.at, o.reason, e.network, e.snapshot, *(e[name] for name in _PROBABILITIES))
        .select_from(_OBSERVATIONS.outerjoin(_ESTIMATES, e.observation == o.id))
        .where(o.subject == subject)
        .order_by(o.at, o.id, e.id)
    )
    for _, group in groupby(op.get_bind().execute(query), key=lambda row: row.id):
        rows = list(group)
        words = (Distribution(tuple(word[5:])) if word is not None else None for word in newest(rows))
        reason = rows[0].reason
        tally.count(rows[0].at, Reason(reason) if reason else None, *words)
    if found := tally.rows():
        op.get_bind().execute(sa.insert(_SUMMARIES), found)
