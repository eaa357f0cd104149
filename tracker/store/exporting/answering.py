"""What a person was asked and answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from tracker.store.exporting.cutting import Cut
from tracker.store.exporting.fetching import Rows, columns_of, stream
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import corrections, prompts

PROMPT_COLUMNS = (
    "slot",
    "zone",
    "scheduled_at",
    "notified_at",
    "started_at",
    "completed_at",
    "state",
    "reason",
    "random",
    "expires_at",
    "ended_at",
    "pushed_at",
    "recorded_at",
)

CORRECTION_COLUMNS = (
    "at",
    "zone",
    "observation",
    "prompt",
    "target",
    "value",
    *EMOTION_COLUMNS,
    "rater",
    "suggestion_shown",
    "intensity",
    "response_ms",
    "supersedes",
    "imported_from",
    "recorded_at",
)


def prompt_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Prompts in order: id, then the columns of `PROMPT_COLUMNS`."""
    query = (
        columns_of(connection, prompts, ("id", *PROMPT_COLUMNS))
        .where(prompts.c.subject == subject, prompts.c.scheduled_at >= since, cut.of(prompts))
        .order_by(prompts.c.scheduled_at, prompts.c.id)
    )
    return stream(connection, query)


def correction_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime | None, prompted_since: datetime | None
) -> Iterator[Rows]:
    """Corrections in order: id, then the columns of `CORRECTION_COLUMNS`.

    Answers to prompts have a start of their own; a start of None leaves its kind out.
    """
    query = (
        columns_of(connection, corrections, ("id", *CORRECTION_COLUMNS))
        .where(corrections.c.subject == subject, cut.of(corrections), said(since, prompted_since))
        .order_by(corrections.c.at, corrections.c.id)
    )
    return stream(connection, query)


def targets(connection: Connection, subject: str, cut: Cut, prompted_since: datetime | None) -> set[str]:
    """What a subject answered in prompts, from an instant on; nothing where that is None."""
    if prompted_since is None:
        return set()
    query = select(corrections.c.target).where(
        corrections.c.subject == subject, cut.of(corrections), said(None, prompted_since)
    )
    return set(connection.execute(query.distinct()).scalars())


def said(since: datetime | None, prompted_since: datetime | None) -> ColumnElement[bool]:
    """The condition on corrections: answers to prompts have a start of their own; None leaves a kind out."""
    kinds: list[ColumnElement[bool]] = []
    if since is not None:
        # What raters said together is not in an export: it rests on another grant.
        unasked = and_(corrections.c.prompt.is_(None), corrections.c.rated_grant.is_(None))
        kinds.append(and_(unasked, corrections.c.at >= since))
    if prompted_since is not None:
        kinds.append(and_(corrections.c.prompt.is_not(None), corrections.c.at >= prompted_since))
    return or_(*kinds)
