"""Which stretch a timeline page shows: a local day, or the 7 or 30 local days that end with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from webui.words import day_name, plain_day

DAYS = {"day": 1, "week": 7, "month": 30}
"""The views and how many days each shows."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of whole local days.

    Parameters
    ----------
    unit
        ``day``, ``week`` or ``month`` (30 days).
    last
        The last day shown, on the participant's calendar.
    zone
        Whose calendar.
    """

    unit: str
    last: date
    zone: ZoneInfo

    @property
    def first(self) -> date:
        """The first day shown."""
        return self.last - timedelta(days=DAYS[self.unit] - 1)

    @property
    def start(self) -> datetime:
        """The first instant (UTC)."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant after it (UTC)."""
        return midnight(self.last + timedelta(days=1), self.zone)

    def moved(self, steps: int) -> Range:
        """The stretch that many lengths later."""
        return Range(self.unit, self.last + steps * timedelta(days=DAYS[self.unit]), self.zone)

    def as_unit(self, unit: str) -> Range:
        """Another length that ends with the same day."""
        return Range(unit, self.last, self.zone)

    @property
    def title(self) -> str:
        """What the stretch is called.

        Examples
        --------
        >>> Range("week", date(2026, 3, 8), ZoneInfo("Europe/Berlin")).title
        '2 March – 8 March 2026'
        """
        return day_name(self.last) if self.unit == "day" else " – ".join(self.ends)

    @property
    def ends(self) -> tuple[str, str]:
        """Its first and last day, the year of the first left out where it is the same."""
        return plain_day(self.first, self.first.year != self.last.year), plain_day(self.last)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a local day starts, on days of 23 and 25 hours too.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> midnight(date(2026, 3, 30), berlin) - midnight(date(2026, 3, 29), berlin)
    datetime.timedelta(seconds=82800)
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)
