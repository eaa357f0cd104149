"""What is kept of a video where its participant allows it: how large, how often and how much of it.

The consent card, the notice and the documentation say these numbers; `tests/study/test_video_words.py` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

SIDE = 480
"""Pixels of a kept frame's longer side at most."""

EVERY_S = 0.5
"""Seconds from one kept frame to the next: the first at or after each multiple of them."""

A_DAY = 64 * 1024 * 1024
"""Sealed bytes that are kept of one participant's day (UTC) at most; what comes after is dropped and counted."""


def day_of(at: datetime) -> tuple[datetime, datetime]:
    """The day (UTC) in which an instant lies: where it begins, and where the next one does.

    Examples
    --------
    >>> [edge.isoformat() for edge in day_of(datetime(2026, 3, 20, 12, tzinfo=UTC))]
    ['2026-03-20T00:00:00+00:00', '2026-03-21T00:00:00+00:00']
    """
    start = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    return start, start + timedelta(days=1)


class Room:
    """How much more of each day may be kept of one person, asked once for each day and counted from there.

    Parameters
    ----------
    held
        How many bytes of the day of an instant are kept already.
    most
        Bytes of a day at most.

    Examples
    --------
    >>> room = Room(lambda _: 60, most=100)
    >>> noon = datetime(2026, 3, 20, 12, tzinfo=UTC)
    >>> room.take(noon, 30), room.take(noon, 30), room.take(noon, 10), room.take(noon, 1)
    (True, False, True, False)
    """

    def __init__(self, held: Callable[[datetime], int], most: int = A_DAY) -> None:
        self._held, self._most = held, most
        self._by_day: dict[date, int] = {}

    def take(self, at: datetime, size: int) -> bool:
        """Take room for so many bytes of a moment; False, and nothing taken, where there is not enough."""
        day = day_of(at)[0].date()
        if day not in self._by_day:
            self._by_day[day] = self._held(at)
        if self._by_day[day] + size > self._most:
            return False
        self._by_day[day] += size
        return True
