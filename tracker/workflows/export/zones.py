"""Where a participant was when an export ends: as their rows in it say, whatever has become of it since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tracker.access import Unit
from tracker.domain.people import Person
from tracker.store import exporting
from tracker.store.exporting import Cut
from tracker.workflows.export.eligibility import Starts


def then(unit: Unit, cut: Cut, starts: Starts) -> Person:
    """The participant with the zone of their last row in the export; of somebody without rows, that of now.

    A move afterwards would else tell of itself in an export of the past, and change the bytes of its repetition.
    """
    found = at(unit, cut, starts)
    return unit.person if found is None else replace(unit.person, zone=found)


def at(unit: Unit, cut: Cut, starts: Starts, until: datetime | None = None) -> str | None:
    """The zone of the last row that may be exported, of those up to an instant; None where there is none."""
    return exporting.last_zone(
        unit.connection,
        unit.person.subject,
        cut.without(starts.hidden),
        starts.series,
        starts.prompts,
        until,
    )
