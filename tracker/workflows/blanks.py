"""Why nothing stands in a stretch of a timeline: not allowed then, paused, erased; or why nobody else sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches
from tracker.domain.consent import ConsentEvent, Scope
from tracker.domain.stretches import Stretch
from tracker.store import hiding


class Why(StrEnum):
    """Why a stretch is blank, or marked."""

    NOT_ALLOWED = "not_allowed"
    PAUSED = "paused"
    ERASED = "erased"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Blank:
    """A stretch and why nothing stands in it; of a hidden one, why nobody else sees it.

    Attributes
    ----------
    number
        Of a hidden stretch: by which it is shown again.
    """

    start: datetime
    end: datetime
    why: Why
    number: int | None = None


def blanks(access: Access, unit: Unit, start: datetime, end: datetime) -> list[Blank]:
    """What explains the blanks of [start, end), in order of time; each is cut to it.

    Parameters
    ----------
    access, unit
        The gate, and a reading unit on the person.
    start, end
        Which stretch; what lies in the future is left out.
    """
    last = min(end, unit.now)
    found = [
        *(Blank(gap.start, gap.end, Why.NOT_ALLOWED) for gap in not_allowed(unit.events, start, last)),
        *_paused(unit),
        *(Blank(s.start, s.end, Why.ERASED) for s in _erased(access, unit)),
        *(
            Blank(row.stretch.start, row.stretch.end, Why.HIDDEN, row.id)
            for row in hiding.standing(unit.connection, unit.person.subject)
        ),
    ]
    cut = [
        Blank(max(b.start, start), min(b.end, last), b.why, b.number)
        for b in found
        if b.start < last and b.end > start
    ]
    return sorted(cut, key=lambda b: (b.start, b.why))


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


def _paused(unit: Unit) -> Iterator[Blank]:
    at = unit.person.paused_at
    if at is not None and at < unit.now:
        yield Blank(at, unit.now, Why.PAUSED)


def _erased(access: Access, unit: Unit) -> list[Stretch]:
    return [erased.stretch for erased in erased_stretches(access, unit)]
