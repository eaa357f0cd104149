"""A stretch of time that a participant hides, or has erased for good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tracker.domain.instants import InstantError, require_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MARK = "stretch "


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """The instants of [start, end).

    Parameters
    ----------
    start, end
        Aware, in UTC; `end` is the first instant that is no part of it.

    Raises
    ------
    InstantError
        When one is naive, or the end is not after the start.

    Examples
    --------
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> hour = Stretch(noon, noon + timedelta(hours=1))
    >>> hour.holds(noon), hour.holds(hour.end), hour.touches(noon - timedelta(hours=1), noon)
    (True, False, True)
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", require_instant(self.start))
        object.__setattr__(self, "end", require_instant(self.end))
        if self.end <= self.start:
            raise InstantError(
                f"a stretch ends after it begins, and {self.end.isoformat()} is not after {self.start.isoformat()}"
            )

    def holds(self, at: datetime) -> bool:
        """Whether an instant is one of its."""
        return self.start <= at < self.end

    def touches(self, first: datetime, last: datetime) -> bool:
        """Whether any instant from `first` to `last`, both included, is one of its."""
        return first < self.end and last >= self.start

    def marked(self) -> str:
        """In at most 32 characters, as a tombstone says what was erased.

        Examples
        --------
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> Stretch.read(Stretch(noon, noon + timedelta(hours=1)).marked()).end.hour
        13
        """
        return _MARK + "-".join(_base36((at - _EPOCH) // _TICK) for at in (self.start, self.end))

    @classmethod
    def read(cls, mark: str | None) -> Stretch | None:
        """The stretch that was marked; None for any other text, or none."""
        if mark is None or not mark.startswith(_MARK):
            return None
        first, _, last = mark.removeprefix(_MARK).partition("-")
        return cls(*(_EPOCH + int(text, 36) * _TICK for text in (first, last)))


def any_holds(stretches: Iterable[Stretch], at: datetime) -> bool:
    """Whether an instant lies in one of some stretches."""
    return any(stretch.holds(at) for stretch in stretches)


def any_touches(stretches: Iterable[Stretch], first: datetime, last: datetime) -> bool:
    """Whether one of some stretches has an instant from `first` to `last`, both included."""
    return any(stretch.touches(first, last) for stretch in stretches)


def _base36(number: int) -> str:
    if number < 0:
        raise InstantError("a stretch begins after 1970")
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"
