"""What a request may weigh, and how often one address may try to log in."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

LARGEST_REQUEST = 64 * 1024
"""Bytes of a request's body: forms are small, and nothing is uploaded here yet."""

LOGINS = 10
PER = timedelta(minutes=1)

HASHING = threading.BoundedSemaphore(2)
"""Each password check takes 128 MiB for a third of a second, so few run at once."""

_MOST_ADDRESSES = 10_000


class Rate:
    """At most `most` events per address in any stretch of `per`; kept in memory.

    Parameters
    ----------
    most, per
        How many in which time. Low enough that guessing is hopeless, high enough for a household or a
        laboratory behind one address.

    Examples
    --------
    >>> from datetime import UTC
    >>> rate, noon = Rate(2, timedelta(minutes=1)), datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> [rate.allows("::1", noon) for _ in range(3)]
    [True, True, False]
    >>> rate.allows("::1", noon + timedelta(minutes=1))
    True
    """

    def __init__(self, most: int, per: timedelta) -> None:
        self._most, self._per = most, per
        self._seen: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def allows(self, address: str, now: datetime) -> bool:
        """Count an event, unless it is one too many."""
        with self._lock:
            if len(self._seen) >= _MOST_ADDRESSES:
                self._seen = {a: q for a, q in self._seen.items() if q and now - q[-1] < self._per}
            seen = self._seen.setdefault(address, deque())
            while seen and now - seen[0] >= self._per:
                seen.popleft()
            if len(seen) >= self._most:
                return False
            seen.append(now)
            return True
