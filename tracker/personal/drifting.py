"""Notice that a person's answers have become more surprising to their learner, and answer it: forget faster.

What the learner had learned before the change weighs less from then on; how much more is asked, and how much more
carefully it is decided, follows from the same events (`tracker.learning.vigilance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Use
from tracker.learning.drift import MOST, DriftEvent, DriftMonitor, surprise
from tracker.learning.window import window
from tracker.store import drifts, learned
from tracker.store.seen import JudgedRow

PRESUMED, PRESUMED_ERROR = 5, 0.3
"""Of a number, before anything was said: this many errors of this size are presumed."""

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
    event = newest_drift(surprises(learned.judged(unit.connection, unit.person.subject, target, after=since)))
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


def surprises(said: Sequence[JudgedRow]) -> list[tuple[float, datetime]]:
    """How much worse than expected a learner of any kind did on each answer, with the answer's instant.

    Of a number, half of the squared error in units of the person's errors so far, less its mean: how far off a learner
    of few answers believes itself to be says too little.

    Parameters
    ----------
    said
        In recording order.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, tzinfo=UTC)
    >>> told = [JudgedRow((0.0, 1.0), value, noon) for value in (0.3, 0.0, 0.0, 0.9)]
    >>> [round(value, 2) for value, _ in surprises(told)]
    [0.0, -0.5, -0.5, 3.0]
    """
    found, squares = [], PRESUMED_ERROR**2 * PRESUMED
    for n, row in enumerate(said):
        label, predicted = row.label, row.predicted
        if isinstance(label, Distribution):
            value = surprise(predicted.probabilities, label.probabilities)
        elif isinstance(predicted, tuple):
            square = (label - predicted[0]) ** 2
            value = float(min((square * (PRESUMED + n) / squares - 1) / 2, MOST))
            squares += square
        else:
            # "Either is fine" contradicts no decision, so it is as if the one that was expected had been said.
            yes = label if label != 0.5 else float(predicted >= 0.5)
            value = surprise((predicted, 1 - predicted), (yes, 1 - yes))
        found.append((value, row.recorded_at))
    return found


def faded_before(unit: Unit, target: str) -> datetime | None:
    """Before which instant what was learned counts less: since when the newest drift has been under way."""
    return max((event.since for event in drifted(unit, target)), default=None)
