"""Which stretches of time somebody who stays had erased, and what may not come back into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tracker.access.gate import Access
from tracker.access.unit import Unit
from tracker.domain.stretches import Stretch
from tracker.store import tombstones


class ErasedStretchError(ValueError):
    """Something was given before the stretch of time that it speaks of was erased for good."""

    def __init__(self) -> None:
        super().__init__(
            "You deleted the time that this speaks of for good after you said it; it was not stored again."
        )


@dataclass(frozen=True, slots=True, order=True)
class ErasedStretch:
    """A stretch and when its erasure began last."""

    stretch: Stretch
    at: datetime


def erased_stretches(access: Access, unit: Unit, since: datetime | None = None) -> list[ErasedStretch]:
    """The stretches that the person of a unit had erased (after an instant), in order of time.

    A tombstone names nobody: each is asked whether it is theirs.
    """
    found = [
        (stone, part)
        for stone in tombstones.every(unit.connection, since)
        if (part := Stretch.read(stone.scope)) is not None
    ]
    if not found:
        return []
    number = access.numbering()
    mine = [(s, part) for s, part in found if s.id == number(unit.person.id, part)]
    return sorted(ErasedStretch(part, stone.erased_at) for stone, part in mine)


def refusing(erased: Iterable[ErasedStretch], at: datetime, given_at: datetime) -> Stretch | None:
    """The stretch for which nothing is stored of a moment that was given at an instant; None: it may be stored.

    Whatever was on its way while a stretch was erased, a capture, a clip, an answer whose reply was lost, would
    bring it back. What somebody gives anew afterwards is theirs to give.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> noon, hour = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(hours=1)
    >>> gone = [ErasedStretch(Stretch(noon, noon + hour), at=noon + 2 * hour)]
    >>> refusing(gone, noon, given_at=noon) is None, refusing(gone, noon, given_at=noon + 3 * hour) is None
    (False, True)
    """
    return next((e.stretch for e in erased if given_at < e.at and e.stretch.holds(at)), None)
