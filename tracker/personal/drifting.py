"""Notice that a person's answers have become more surprising to their learner, and answer it: forget faster.

What the learner had learned before the change weighs less from then on; how much more is asked, and how much more
carefully it is decided, follows from the same events (`tracker.learning.vigilance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Use
from tracker.learning.drift import MOST, DriftEvent, DriftMonitor, surprise
from tracker.learning.window import window
from tracker.store import drifts, learned
from tracker.store.seen import Label

KIND = "page_hinkley"
"""How drifts are noticed."""


def drifted(unit: Unit, target: str) -> list[DriftEvent]:
    """The drifts of a learner within its memory, in the order in which they were noticed."""
    found = drifts.since(unit.connection, unit.person.subject, window(unit.now)[0], target)
    return [
        DriftEvent(
            at=row.recorded_at,
            since=row.at,
            before=row.detail["before"],
            after=row.detail["after"],
            answers=row.detail["answers"],
        )
        for row in found
    ]


def notice(unit: Unit, target: str) -> DriftEvent | None:
    """Look at how surprising the last answers were; keep and return a drift that the newest of them shows."""
    earlier = drifted(unit, target)
    since = max(window(unit.now)[0], *(event.at for event in earlier)) if earlier else window(unit.now)[0]
    event = newest_drift(
        [
            (surprised(row.predicted, row.label), row.recorded_at)
            for row in learned.judged(unit.connection, unit.person.subject, target, after=since)
        ]
    )
    if event is None:
        return None
    drifts.add(
        unit.connection,
        unit.permit(Use.LEARN),
        unit.person.subject,
        target,
        at=event.since,
        kind=KIND,
        detail={"before": event.before, "after": event.after, "answers": event.answers},
        now=unit.now,
    )
    return event


def newest_drift(surprises: Sequence[tuple[float, datetime]]) -> DriftEvent | None:
    """The drift that the last of some surprises tips, or None; those before it were looked at when they were new."""
    watching, event = DriftMonitor(), None
    for value, at in surprises:
        event = watching.update(value, at)
    return event


def surprised(predicted: Any, label: Label) -> float:
    """How much worse than it expected a learner of any kind did on an answer.

    Of a number, with normal errors: half of the squared distance in standard deviations, less its mean.

    Examples
    --------
    >>> round(surprised(0.9, 0.0), 3), surprised((0.0, 0.5), 0.5), surprised((0.0, 0.1), 1.0)
    (1.978, 0.0, 3.0)
    """
    if isinstance(label, Distribution):
        return surprise(predicted.probabilities, label.probabilities)
    if isinstance(predicted, tuple):
        mean, spread = predicted
        return float(min((((label - mean) / spread) ** 2 - 1) / 2, MOST))
    return surprise((predicted, 1 - predicted), (label, 1 - label))


def faded_before(unit: Unit, target: str) -> datetime | None:
    """Before which instant what was learned counts less: since when the newest drift has been under way."""
    return max((event.since for event in drifted(unit, target)), default=None)
