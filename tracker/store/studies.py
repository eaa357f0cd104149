"""Queries about the study that governs an installation: every version that was applied stays, the newest counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from tracker.store.database import DatabaseError
from tracker.store.tables import studies
from tracker.study import DEFAULT, Study, StudyError, from_document

_checked: dict[str, Study] = {}
"""Studies that were read and checked before, by the SHA-256 of their document: a unit of work asks each time."""


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as applied: its validated document, when, and by whom."""

    sha256: str
    document: dict[str, Any]
    applied_at: datetime
    applied_by: str


_APPLYING = 0x57D7
"""Number of PostgreSQL's advisory lock on what governs."""


def lock(connection: Connection) -> None:
    """Let nobody else apply a study until the transaction ends.

    SQLite needs no lock: its writing transactions exclude each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_APPLYING)))


def apply(connection: Connection, row: StudyRow) -> None:
    """Let a version of the study govern from its commit on."""
    connection.execute(
        insert(studies).values(
            sha256=row.sha256, document=row.document, applied_at=row.applied_at, applied_by=row.applied_by
        )
    )


def newest(connection: Connection) -> StudyRow | None:
    """The version that governs; None where no study was applied."""
    c = studies.c
    query = select(c.sha256, c.document, c.applied_at, c.applied_by).order_by(c.id.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else StudyRow(*found)


def versions(connection: Connection) -> dict[int, str]:
    """The SHA-256 of every version that was applied, by the number that rows written under it carry."""
    return {row.id: row.sha256 for row in connection.execute(select(studies.c.id, studies.c.sha256))}


def version(connection: Connection) -> tuple[int, str] | None:
    """The number and the SHA-256 of the version that governs; None where none was applied."""
    query = select(studies.c.id, studies.c.sha256).order_by(studies.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.sha256)


def in_force(connection: Connection) -> Study:
    """The study that governs, checked; the built-in one where none was applied.

    Raises
    ------
    DatabaseError
        When what is stored is not what was applied: nothing may rest on it then.
    """
    sha256 = connection.execute(
        select(studies.c.sha256).order_by(studies.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    if sha256 is None:
        return DEFAULT
    if sha256 not in _checked:
        row = newest(connection)
        assert row is not None
        _checked[sha256] = checked(row)
    return _checked[sha256]


def at(connection: Connection, instant: datetime) -> Study:
    """The study that governed at a past instant; the built-in one before any was applied.

    Raises
    ------
    DatabaseError
        As `in_force`.
    """
    rows = [row for row in every(connection) if row.applied_at <= instant]
    return checked(rows[-1]) if rows else DEFAULT


def every(connection: Connection) -> list[StudyRow]:
    """All versions in the order in which they were applied."""
    c = studies.c
    query = select(c.sha256, c.document, c.applied_at, c.applied_by).order_by(c.id)
    return [StudyRow(*row) for row in connection.execute(query)]


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a study's document."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def checked(row: StudyRow) -> Study:
    """A stored version, checked; raise `DatabaseError` when it is not what was applied."""
    if isinstance(row.document, dict) and digest(row.document) == row.sha256:
        try:
            return from_document(row.document)
        except StudyError as error:
            raise DatabaseError(f"the study in force was made for another version: {error}") from None
    raise DatabaseError(
        f"the study in force ({row.sha256[:12]}) was altered after it was applied; bring the database back "
        "from a backup, or apply the study's file again"
    )
