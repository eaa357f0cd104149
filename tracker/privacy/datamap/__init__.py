"""The data map: for each stored column, on what it rests, how long it is kept and what it derives from.

One table in code (files stand in `tracker.privacy.files`). A test walks the schemas and fails for a column that
is not declared here; the privacy page and ``docs/privacy.md`` are made from it, so they cannot say anything else
than what is stored.
"""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.answers import ANSWERS
from tracker.privacy.datamap.choices import CHOICES
from tracker.privacy.datamap.declaring import Column, Ground, Retention, Stored
from tracker.privacy.datamap.given_out import GIVEN_OUT
from tracker.privacy.datamap.kept import KEPT
from tracker.privacy.datamap.learned import LEARNED
from tracker.privacy.datamap.people import PEOPLE
from tracker.privacy.datamap.rated import RATED
from tracker.privacy.datamap.running import RUNNING
from tracker.privacy.datamap.series import SERIES

__all__ = ["TABLES", "Column", "Ground", "Retention", "Stored", "columns", "tables_of"]

TABLES: tuple[Stored, ...] = (
    *PEOPLE,
    *CHOICES,
    *SERIES,
    *ANSWERS,
    *LEARNED,
    *KEPT,
    *RATED,
    *GIVEN_OUT,
    *RUNNING,
)


def columns() -> dict[tuple[str, str], Column]:
    """Every declared column by table and name."""
    return {(c.table, c.name): c for stored in TABLES for c in stored.columns}


def tables_of(ground: Scope | Ground) -> tuple[str, ...]:
    """The tables with a column that rests on a scope.

    Examples
    --------
    >>> tables_of(Scope.PROMPTS)
    ('prompts', 'push_devices', 'push_messages', 'zones', 'corrections')
    """
    return tuple(s.name for s in TABLES if any(c.ground is ground for c in s.columns))
