"""When the series of a participant was covered by no grant: why nothing stands there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tracker.domain.consent import ConsentEvent, Scope
from tracker.domain.stretches import Stretch


def not_allowed(events: Sequence[ConsentEvent], start: datetime, end: datetime) -> list[Stretch]:
    """The parts of [start, end) that no grant of the series covers or ever covered.

    A grant covers from the instant that it states until another choice of the same scope is recorded.
    """
    mine = [event for event in events if event.scope is Scope.AFFECT_SERIES]
    covered: list[tuple[datetime, datetime]] = []
    for i, event in enumerate(mine):
        until = mine[i + 1].recorded_at if i + 1 < len(mine) else end
        until = until if event.expires_at is None else min(until, event.expires_at)
        if event.state.permits and event.covers_from < until:
            covered.append((event.covers_from, until))
    gaps, at = [], start
    for first, until in sorted(covered):
        if first > at:
            gaps.append((at, min(first, end)))
        at = max(at, until)
    if at < end:
        gaps.append((at, end))
    return [Stretch(first, until) for first, until in gaps if first < until]
