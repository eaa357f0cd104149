"""Where an export ends, and what tells whether that has moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from tracker.domain.stretches import Stretch
from tracker.store.hiding import outside, outside_correction
from tracker.store.tables import (
    adjudications,
    consent_log,
    contexts,
    corrections,
    drifts,
    estimates,
    observations,
    prompts,
    rater_consents,
    rating_gold,
    rating_traces,
    rating_votes,
    snapshots,
    tombstones,
)

CUT_TABLES = (observations, estimates, contexts, prompts, corrections, drifts)
RATED_TABLES = (rating_votes, rating_traces, rating_gold, adjudications)
IMPORTED_TABLES = (observations, contexts, corrections)
MARKED_TABLES = (*CUT_TABLES, *RATED_TABLES, rater_consents, snapshots)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an export ends: rows recorded after an instant, or numbered above a mark, are not in it.

    The instant alone would not do: a row can commit after the export began and yet carry an earlier
    `recorded_at`.

    Attributes
    ----------
    at
        The export's instant.
    marks
        The highest id of each table when the export began, while nobody else could write about its people.
    hidden
        Stretches that are left out as if nothing had been stored of them.
    own_only
        Whether what files of other programs brought is left out: a dataset for everybody holds none of it.
    """

    at: datetime
    marks: Mapping[str, int]
    hidden: tuple[Stretch, ...] = ()
    own_only: bool = False

    def of(self, table: Table) -> ColumnElement[bool]:
        """The condition on one table."""
        return and_(table.c.id <= self.mark(table), table.c.recorded_at <= self.at, *self._shown(table))

    def mark(self, table: Table) -> int:
        """The highest id of a table; 0 where the export is older than the table's place in exports."""
        return self.marks.get(table.name, 0)

    def without(self, hidden: tuple[Stretch, ...]) -> Cut:
        """The same, of a person who hides some stretches."""
        return replace(self, hidden=hidden)

    def with_imported(self) -> Cut:
        """The same, and what files of other programs brought."""
        return replace(self, own_only=False)

    def _shown(self, table: Table) -> list[ColumnElement[bool]]:
        if (
            table is estimates or table in RATED_TABLES
        ):  # read beside their observations, on which this stands
            return []
        own = [table.c.imported_from.is_(None)] if self.own_only and table in IMPORTED_TABLES else []
        if table is corrections:
            return [*own, *outside_correction(self.hidden)]
        return own + outside(table.c.scheduled_at if table is prompts else table.c.at, self.hidden)


def marks(connection: Connection) -> dict[str, int]:
    """The highest id of each exported table, and of the learners' states."""
    return {
        table.name: connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        for table in MARKED_TABLES
    }


def log_position(connection: Connection) -> int:
    """The consent log's last position."""
    position: int = connection.execute(select(func.coalesce(func.max(consent_log.c.seq), 0))).scalar_one()
    return position


def erasures(connection: Connection) -> str:
    """What tells whether anything was erased between two looks; an export's rows may be among it."""
    erased_at = tombstones.c.erased_at
    n, last = connection.execute(select(func.count(), func.max(erased_at)).select_from(tombstones)).one()
    return f"{n} {last.isoformat() if last is not None else ''}"
