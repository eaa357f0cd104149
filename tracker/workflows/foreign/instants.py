"""From what a file says of a time to an instant: local times too, where the clocks were moved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.domain.instants import InstantError, parse_instant, require_zone
from tracker.workflows.foreign.errors import Refused

NO_TIME = "no time that can be read"
NO_ZONE = "no time zone"
GAP = "a local time that never was: the clocks were put forward"
TWICE = "a local time that was twice: the clocks were put back"
FUTURE = "in the future"

_YEARS = (1900, 2999)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=1)
_HOUR = re.compile(r"[T ]\d\d")


@dataclass(frozen=True, slots=True)
class Meant:
    """An instant, and whether its local time could have meant another one too."""

    at: datetime
    twice: bool = False


def resolve(local: datetime, zone: ZoneInfo, ambiguous: str) -> Meant:
    """The instant of a local time.

    Parameters
    ----------
    local
        Without an offset.
    zone
        Where it was.
    ambiguous
        Which one is meant where the clocks showed it twice: ``first``, ``second``, or ``refuse``.

    Raises
    ------
    Refused
        When the clocks never showed it, or showed it twice and that is refused.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> resolve(datetime(2026, 3, 1, 9, 30), berlin, "first").at.isoformat()
    '2026-03-01T08:30:00+00:00'
    >>> said = datetime(2025, 10, 26, 2, 30)
    >>> [resolve(said, berlin, which).at.hour for which in ("first", "second")]
    [0, 1]
    >>> resolve(datetime(2026, 3, 29, 2, 30), berlin, "first")
    Traceback (most recent call last):
    ...
    tracker.workflows.foreign.errors.Refused: a local time that never was: the clocks were put forward
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return Meant(first)
    # In a gap neither instant comes back as the local time that was said; where it was twice, both do.
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise Refused(GAP)
    if ambiguous == "refuse":
        raise Refused(TWICE)
    return Meant(first if ambiguous == "first" else second, twice=True)


def read_local(text: str, form: str | None) -> datetime:
    """A local time, ISO 8601 or of a form of `datetime.strptime`.

    Raises
    ------
    Refused
        When it is none, or has an offset.

    Examples
    --------
    >>> read_local("2026-03-01 09:30:00", None), read_local("1.3.2026 9:30", "%d.%m.%Y %H:%M")
    (datetime.datetime(2026, 3, 1, 9, 30), datetime.datetime(2026, 3, 1, 9, 30))
    """
    try:
        found = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)
    except ValueError:
        raise Refused(NO_TIME) from None
    if form is None and not _HOUR.search(text):  # a day alone is not its midnight
        raise Refused(NO_TIME)
    if found.tzinfo is not None:
        raise Refused(NO_TIME)
    return within_years(found)


def within_years(local: datetime) -> datetime:
    """A local time of a year that is meant; raise `Refused` for any other."""
    if not _YEARS[0] <= local.year <= _YEARS[1]:
        raise Refused(NO_TIME)
    return local


def read_instant(text: str) -> datetime:
    """ISO 8601 with an offset, as UTC; raise `Refused` when it is none."""
    try:
        return parse_instant(text)
    except InstantError:
        raise Refused(NO_TIME) from None


def read_zone(text: str) -> ZoneInfo:
    """An IANA zone; raise `Refused` when it is none."""
    try:
        return require_zone(text)
    except InstantError:
        raise Refused(NO_ZONE) from None


def since_epoch(microseconds: int) -> datetime:
    """An instant in UTC; raise `Refused` when no calendar of ours has it.

    Examples
    --------
    >>> since_epoch(1_767_225_600_000_000).isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    try:
        at = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise Refused(NO_TIME) from None
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise Refused(NO_TIME)
    return at


def microseconds(at: datetime) -> int:
    """Since 1970 UTC.

    Examples
    --------
    >>> microseconds(datetime(2026, 1, 1, tzinfo=UTC))
    1767225600000000
    """
    return (at - _EPOCH) // timedelta(microseconds=1)


def transitions(zone: str, first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    """When the clocks of a zone were moved between two instants, to the minute, and by how much.

    Examples
    --------
    >>> whole = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    >>> [(at.isoformat(), by) for at, by in transitions("Europe/Berlin", *whole)]
    [('2026-03-29T01:00:00+00:00', '+1:00'), ('2026-10-25T01:00:00+00:00', '-1:00')]
    """
    there, found, at = ZoneInfo(zone), [], first
    while at < last:
        until = min(at + _STEP, last)
        before, after = _offset(at, there), _offset(until, there)
        if before != after:
            moved = _moved(at, until, there)
            minutes = (after - before) // timedelta(minutes=1)
            sign = "+" if minutes > 0 else "-"
            found.append((moved, f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02d}"))
        at = until
    return found


def _moved(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return (high + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found
