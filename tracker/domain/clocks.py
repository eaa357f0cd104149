"""Clocks of other machines: an instant that a phone noted is put right by what its clock said when it sent it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tracker.domain.instants import CLOCK_TOLERANCE, InstantError, require_instant

FARTHEST = timedelta(hours=25)
"""How far a clock may be off: a wrong date by a day, or a wrong zone, can be put right; more is told."""

OLDEST = timedelta(days=7)
"""How long an answer may have waited on a phone."""


class ClockOffError(InstantError):
    """A clock is so far off that nothing it noted can be relied on."""


class TooOldError(InstantError):
    """Something waited for too long."""


def put_right(at: datetime, clock: datetime, now: datetime) -> datetime:
    """Give the instant at which something happened, from what another clock said then and says now.

    Parameters
    ----------
    at
        What the other clock said when it happened.
    clock
        What the same clock says as it sends this.
    now
        What our clock says (UTC).

    Returns
    -------
    datetime
        In UTC, never later than `now`.

    Raises
    ------
    ClockOffError
        When the other clock is off by more than `FARTHEST`.
    InstantError
        When `at` lies after `clock`, or one of them is naive.
    TooOldError
        When it happened longer than `OLDEST` ago.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
    >>> fast = now + timedelta(hours=2)
    >>> put_right(fast - timedelta(minutes=30), fast, now).isoformat()
    '2026-03-20T11:30:00+00:00'
    """
    at, clock, now = require_instant(at), require_instant(clock), require_instant(now)
    off = clock - now
    if abs(off) > FARTHEST:
        raise ClockOffError(
            f"Your device says it is {clock:%Y-%m-%d %H:%M} UTC, and here it is {now:%Y-%m-%d %H:%M} UTC. What "
            "it noted has to be put right by the difference before its clock is set; nothing was stored."
        )
    if at > clock + CLOCK_TOLERANCE:
        raise InstantError("This answer lies in the future of your device's own clock; it was not stored.")
    if clock - at > OLDEST:
        raise TooOldError(
            f"This answer waited for more than {OLDEST.days} days; it is too old to be stored now. You can delete it."
        )
    return min(at - off, now)
