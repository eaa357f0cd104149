"""Instants are aware and in UTC; a naive time is not an instant and is refused at the door."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far another machine's clock may run ahead of ours before its instants count as the future."""

_YEARS = (1900, 2999)
"""No recording is older, and sums with the calendar's own ends overflow."""


class InstantError(ValueError):
    """A time is naive, unreadable or in the future, or a zone is unknown."""


def parse_instant(text: str) -> datetime:
    """Read ISO 8601 with an offset (or Z) and return it in UTC.

    Examples
    --------
    >>> parse_instant("2026-03-01T09:30:00+01:00").isoformat()
    '2026-03-01T08:30:00+00:00'
    >>> parse_instant("2026-03-01T09:30:00")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    tracker.domain.instants.InstantError: '2026-03-01T09:30:00' has no UTC offset; write it with one, ...
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InstantError(
            f"{text!r} is not an ISO 8601 time; write for example 2026-03-01T09:30:00+01:00"
        ) from None
    if at.tzinfo is None:
        raise InstantError(
            f"{text!r} has no UTC offset; write it with one, for example 2026-03-01T09:30:00+01:00 or ...Z"
        )
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise InstantError(f"{text!r} lies outside the years {_YEARS[0]} to {_YEARS[1]}; check the date")
    return at.astimezone(UTC)


def require_instant(at: datetime) -> datetime:
    """Return `at` in UTC; raise `InstantError` when it is naive."""
    if at.tzinfo is None:
        raise InstantError(f"{at.isoformat()} is naive; an instant has a UTC offset")
    return at.astimezone(UTC)


def require_past(at: datetime, now: datetime) -> datetime:
    """Return `at` in UTC; raise `InstantError` when it is naive or lies in the future of `now`."""
    at = require_instant(at)
    if at > now + CLOCK_TOLERANCE:
        raise InstantError(
            f"{at.isoformat()} lies in the future; it is {now.isoformat(timespec='seconds')} now"
        )
    return at


def require_zone(name: str) -> ZoneInfo:
    """Return the IANA zone of this name, or raise `InstantError` that says what a name looks like.

    Examples
    --------
    >>> require_zone("Europe/Berlin").key
    'Europe/Berlin'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InstantError(f"{name!r} is no IANA time zone; write for example Europe/Berlin") from None


def first_day(now: datetime, zone: ZoneInfo, days: int) -> date:
    """The first of the last `days` local days, today among them.

    Examples
    --------
    >>> from datetime import UTC
    >>> first_day(datetime(2026, 3, 10, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"), 2).isoformat()
    '2026-03-10'
    """
    return now.astimezone(zone).date() - timedelta(days=days - 1)
