"""What was exported from here, and what of it is outdated because somebody in it has withdrawn since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.store import exports
from tracker.workflows.export.errors import UnknownExportError


@dataclass(frozen=True, slots=True)
class Registered:
    """An export as the registry has it.

    Attributes
    ----------
    id, at, created_at
        Its id, its instant, and when it was made (UTC).
    public
        Whether everybody may have it.
    formats
        In alphabetical order.
    participants
        How many people were in it.
    outdated_at
        When somebody in it withdrew what it rests on, was erased, or hid something of it; None where nobody has.
        Whoever has a copy should replace it.
    """

    id: str
    at: datetime
    created_at: datetime
    public: bool
    formats: tuple[str, ...]
    participants: int
    outdated_at: datetime | None


def registered(access: Access) -> list[Registered]:
    """Every export, newest first."""
    with access.database.read() as connection:
        return [_told(row) for row in exports.every(connection)]


def one(access: Access, export: str) -> Registered:
    """One export; raise `UnknownExportError` where none of this id was made here."""
    with access.database.read() as connection:
        row = exports.get(connection, export)
    if row is None:
        raise UnknownExportError(export)
    return _told(row)


def _told(row: exports.ExportRow) -> Registered:
    request = row.request
    return Registered(
        row.id,
        row.at,
        row.created_at,
        bool(request.get("public")),
        tuple(request.get("formats", ())),
        int(request.get("members", 0)),
        row.outdated_at,
    )
