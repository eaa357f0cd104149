"""Notice that a learner's estimates have begun to fit less well, and answer it: forget faster."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Unit
from tracker.learning.window import window
from tracker.store import drifts


def notice(unit: Unit, target: str, correction: int) -> bool:
    """Look at how well the learner predicted its last corrections; keep a drift where it got worse."""
    return False


def faded_before(unit: Unit, target: str) -> datetime | None:
    """Before which instant what was learned counts less: the newest drift of the window."""
    found = drifts.since(unit.connection, unit.person.subject, window(unit.now)[0], target)
    return max((drift.recorded_at for drift in found), default=None)
