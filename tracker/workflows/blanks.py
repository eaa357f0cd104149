"""Why nothing stands in a stretch of a timeline: not allowed then, paused, erased; or why nobody else sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches
from tracker.domain.stretches import Stretch
from tracker.privacy.uncovered import not_allowed
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


def _paused(unit: Unit) -> Iterator[Blank]:
    at = unit.person.paused_at
    if at is not None and at < unit.now:
        yield Blank(at, unit.now, Why.PAUSED)


def _erased(access: Access, unit: Unit) -> list[Stretch]:
    return [erased.stretch for erased in erased_stretches(access, unit)]
