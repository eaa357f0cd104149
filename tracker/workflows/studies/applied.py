"""Which studies were applied here, and which governs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.store import studies
from tracker.study import Study


@dataclass(frozen=True, slots=True)
class Applied:
    """A version of the study as it was applied."""

    study: Study
    sha256: str
    at: datetime
    by: str


def in_force(access: Access) -> Study:
    """The study that governs now; the built-in one where none was applied."""
    with access.database.read() as connection:
        return studies.in_force(connection)


def history(access: Access) -> list[Applied]:
    """Every version that was applied, oldest first, with who applied it."""
    with access.database.read() as connection:
        return [
            Applied(studies.checked(row), row.sha256, row.applied_at, row.applied_by)
            for row in studies.every(connection)
        ]
