"""Which stretches of time somebody who stays had erased, and what may not come back into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tracker.access.gate import Access
from tracker.access.unit import Unit
from tracker.domain.stretches import Stretch
from tracker.store import tombstones


class ErasedStretchError(ValueError):
    """Something was given before the stretch of time that it speaks of was erased for good."""

    def __init__(self, stretch: Stretch) -> None:
        super().__init__(
            "This speaks of a time that you deleted for good after you said it, "
            f"{stretch.start.isoformat(timespec='seconds')} to {stretch.end.isoformat(timespec='seconds')}; "
            "it was not stored again."
        )
        self.stretch = stretch


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


def refused_by(access: Access, unit: Unit, given_at: datetime) -> Callable[[datetime], Stretch | None]:
    """From a moment to the stretch for which nothing may be stored of it that was given at an instant; None: it may.

    Whatever was on its way while a stretch was erased, a capture, a clip, an answer whose reply was lost, would
    bring it back. What somebody gives anew afterwards is theirs to give.
    """
    gone = [erased.stretch for erased in erased_stretches(access, unit, given_at)]
    return lambda at: _first(gone, at)


def _first(stretches: Iterable[Stretch], at: datetime) -> Stretch | None:
    return next((stretch for stretch in stretches if stretch.holds(at)), None)
