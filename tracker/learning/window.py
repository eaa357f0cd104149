"""The 30 days a learner remembers, and which corrections belong to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.domain.instants import require_instant
from tracker.learning.replay import LearningEvent

WINDOW = timedelta(days=30)
"""Thirty times 24 hours of elapsed time, whatever the clocks on the wall did meanwhile."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A learning event in the log of corrections.

    Parameters
    ----------
    position
        Its place in recording order; unique, and what ties are broken by.
    recorded_at
        When the server recorded it (not the moment it speaks of).
    event
        What was learned.
    ended_at
        When it was superseded or undone, or None while it stands.
    """

    position: int
    recorded_at: datetime
    event: LearningEvent
    ended_at: datetime | None = None


def window(at: datetime) -> tuple[datetime, datetime]:
    """Give the window that ends at an instant, ``[start, end)``, in UTC.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> start, end = window(datetime(2025, 4, 10, 12, tzinfo=ZoneInfo("Europe/Berlin")))
    >>> start.isoformat(), (end - start).days
    ('2025-03-11T10:00:00+00:00', 30)

    Raises
    ------
    InstantError
        When `at` is naive.
    """
    # Subtracting before converting would count wall-clock days: 29 d 23 h over a change to summer time.
    end = require_instant(at)
    return end - WINDOW, end


def remembered(log: Iterable[RecordedEvent], rebase: datetime) -> list[LearningEvent]:
    """Choose and order the events of a learner that was rebased at an instant.

    Those recorded in the 30 days before `rebase` or since, in recording order, without those that had
    been superseded or undone by then. What is superseded *after* `rebase` stays, because the live
    learner has learned it; moving `rebase` to the instant of the undo is what takes it out.

    Parameters
    ----------
    log
        Everything the person's log still holds, in any order.
    rebase
        The learner's rebase instant B.
    """
    start, end = window(rebase)
    kept = [
        entry
        for entry in log
        if require_instant(entry.recorded_at) >= start
        and not (entry.ended_at and require_instant(entry.ended_at) <= end)
    ]
    return [entry.event for entry in sorted(kept, key=lambda entry: entry.position)]
