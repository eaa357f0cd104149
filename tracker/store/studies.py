"""Queries about the study that governs an installation: every version that was applied stays, the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from tracker.store.tables import studies


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as applied: its validated document, when, and by whom."""

    sha256: str
    document: dict[str, Any]
    applied_at: datetime
    applied_by: str


def apply(connection: Connection, row: StudyRow) -> None:
    """Let a version of the study govern from its commit on."""
    connection.execute(
        insert(studies).values(
            sha256=row.sha256, document=row.document, applied_at=row.applied_at, applied_by=row.applied_by
        )
    )


def newest(connection: Connection) -> StudyRow | None:
    """The version that governs; None where no study was applied."""
    found = every(connection)
    return found[-1] if found else None


def every(connection: Connection) -> list[StudyRow]:
    """All versions in the order in which they were applied."""
    c = studies.c
    query = select(c.sha256, c.document, c.applied_at, c.applied_by).order_by(c.id)
    return [StudyRow(*row) for row in connection.execute(query)]
