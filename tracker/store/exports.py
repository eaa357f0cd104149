"""Queries about the registry of exports: what was exported, who is in it, and what has become outdated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from tracker.store.tables import export_members, exports


@dataclass(frozen=True, slots=True)
class ExportRow:
    """An export as registered."""

    id: str
    at: datetime
    created_at: datetime
    request: dict[str, Any]
    manifest_sha256: str
    outdated_at: datetime | None


def add(connection: Connection, row: ExportRow, participants: Iterable[str]) -> None:
    """Register an export and its members."""
    connection.execute(
        insert(exports).values(
            id=row.id,
            at=row.at,
            created_at=row.created_at,
            request=row.request,
            manifest_sha256=row.manifest_sha256,
        )
    )
    members = [{"export": row.id, "participant": p} for p in participants]
    if members:
        connection.execute(insert(export_members), members)


def get(connection: Connection, export: str) -> ExportRow | None:
    """Find an export."""
    row = connection.execute(_rows().where(exports.c.id == export)).one_or_none()
    return None if row is None else ExportRow(*row)


def every(connection: Connection) -> list[ExportRow]:
    """All exports, newest first."""
    query = _rows().order_by(exports.c.created_at.desc(), exports.c.id)
    return [ExportRow(*row) for row in connection.execute(query)]


def members(connection: Connection, export: str) -> set[str]:
    """The participants whose rows an export holds."""
    query = select(export_members.c.participant).where(export_members.c.export == export)
    return set(connection.execute(query).scalars())


def flag(
    connection: Connection,
    participant: str,
    now: datetime,
    *,
    public: bool | None = None,
    rated: bool = False,
) -> int:
    """Mark exports that hold a participant as outdated; return how many were new.

    Parameters
    ----------
    public
        Only public exports, or only those that are not; None: all.
    rated
        Only those that hold what raters said.
    """
    mine = (
        select(exports.c.id, exports.c.request)
        .join(export_members, export_members.c.export == exports.c.id)
        .where(export_members.c.participant == participant, exports.c.outdated_at.is_(None))
    )
    found = [
        export
        for export, request in connection.execute(mine)
        if (public is None or bool(request.get("public")) == public) and (not rated or request.get("raters"))
    ]
    for export in found:
        outdate(connection, export, now)
    return len(found)


def outdate(connection: Connection, export: str, now: datetime) -> None:
    """Mark one export as outdated."""
    connection.execute(update(exports).where(exports.c.id == export).values(outdated_at=now))


def _rows() -> Select[Any]:
    return select(
        exports.c.id,
        exports.c.at,
        exports.c.created_at,
        exports.c.request,
        exports.c.manifest_sha256,
        exports.c.outdated_at,
    )
