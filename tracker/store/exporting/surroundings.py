"""What surrounded a person, where they were, and that their learner drifted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, select

from tracker.store.exporting.answering import said
from tracker.store.exporting.cutting import Cut
from tracker.store.exporting.fetching import Rows, columns_of, stream
from tracker.store.tables import contexts, corrections, drifts, observations, prompts

CONTEXT_COLUMNS = ("at", "zone", "place", "activity", "company", "imported_from", "recorded_at")
DRIFT_COLUMNS = ("at", "target", "kind", "detail", "recorded_at")


def context_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Contexts in order: the columns of `CONTEXT_COLUMNS`."""
    query = (
        columns_of(connection, contexts, CONTEXT_COLUMNS)
        .where(contexts.c.subject == subject, contexts.c.at >= since, cut.of(contexts))
        .order_by(contexts.c.at, contexts.c.id)
    )
    return stream(connection, query)


def context_words(connection: Connection, subject: str, cut: Cut, since: datetime) -> set[tuple[str, str]]:
    """What a subject called their surroundings: pairs of a column and a word."""
    found: set[tuple[str, str]] = set()
    for name in ("place", "activity", "company"):
        column = contexts.c[name]
        query = select(column).where(
            contexts.c.subject == subject, contexts.c.at >= since, cut.of(contexts), column.is_not(None)
        )
        found |= {(name, word) for word in connection.execute(query.distinct()).scalars()}
    return found


def drift_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Drifts in order: the columns of `DRIFT_COLUMNS`."""
    query = (
        columns_of(connection, drifts, DRIFT_COLUMNS)
        .where(drifts.c.subject == subject, drifts.c.at >= since, cut.of(drifts))
        .order_by(drifts.c.at, drifts.c.id)
    )
    return stream(connection, query)


def last_zone(
    connection: Connection,
    subject: str,
    cut: Cut,
    since: datetime | None,
    prompted_since: datetime | None,
    until: datetime | None = None,
) -> str | None:
    """The zone of a subject's last row; None where there is none.

    Parameters
    ----------
    since, prompted_since
        From when on the series counts, and prompts with their answers; None: not at all.
    until
        Up to when; None: all of them.
    """
    kinds: list[tuple[Table, Column[Any], ColumnElement[bool]]] = []
    if since is not None:
        kinds.append((observations, observations.c.at, observations.c.at >= since))
    if prompted_since is not None:
        kinds.append((prompts, prompts.c.scheduled_at, prompts.c.scheduled_at >= prompted_since))
    if kinds:
        kinds.append((corrections, corrections.c.at, said(since, prompted_since)))
    latest: tuple[datetime, str] | None = None
    for table, when, covered in kinds:
        query = select(when, table.c.zone).where(table.c.subject == subject, covered, cut.of(table))
        if until is not None:
            query = query.where(when <= until)
        row = connection.execute(query.order_by(when.desc(), table.c.id.desc()).limit(1)).first()
        if row is not None and (latest is None or row[0] > latest[0]):
            latest = (row[0], row[1])
    return None if latest is None else latest[1]
