"""What a request may weigh, and how often one address may try to log in."""

from __future__ import annotations

import ipaddress
import threading
from collections import deque
from datetime import datetime, timedelta

LARGEST_REQUEST = 64 * 1024
"""Bytes of a request's body: forms are small, and nothing is uploaded here yet."""

LARGEST_FRAME = 1024 * 1024
"""Bytes of a camera's frame: a browser's JPEG of 640 x 480 has a tenth of them."""

LARGEST_PIECE = 1024 * 1024
"""Bytes of a piece of an uploaded clip: what is lost when the connection breaks."""

LOGINS = 10
PER = timedelta(minutes=1)

HASHES_AT_ONCE = 2
"""Each password check takes 128 MiB for a third of a second, so few run at once."""

PATIENCE_S = 5.0
"""How long a login waits for its turn; threads that wait longer would be missing elsewhere."""

ARCHIVES_AT_ONCE = 2
"""Each that is being made takes a processor, and one of the server's threads until it is downloaded."""

REQUESTS = 600
"""Requests of one token in `PER`: twenty people's pages, or a camera at five frames a second and the rest."""

TOLD_AGAIN = timedelta(hours=1)
"""After how long it is told once more that a token is used: of each request would be told too much."""

_MOST_ADDRESSES = 10_000


class BusyError(Exception):
    """Too many do at once what few may do at a time."""


class Turns:
    """Lets few do something at a time: hash a password, make an archive.

    Parameters
    ----------
    at_once
        How many: each takes a processor and much memory while it runs.
    patience_s
        How long one waits for a turn, in seconds.

    Examples
    --------
    >>> turns = Turns(1, 0.0)
    >>> with turns:
    ...     with turns:
    ...         pass
    Traceback (most recent call last):
    ...
    webui.limits.BusyError
    """

    def __init__(self, at_once: int = HASHES_AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self._semaphore = threading.BoundedSemaphore(at_once)
        self._patience_s = patience_s

    def __enter__(self) -> None:
        if not self._semaphore.acquire(timeout=self._patience_s):
            raise BusyError

    def __exit__(self, *_: object) -> None:
        self._semaphore.release()


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

    Of IPv6 whoever has one address has 2^64 beside it, so the network counts:

    >>> rate = Rate(1, timedelta(minutes=1))
    >>> [rate.allows(address, noon) for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    [True, False, True]
    """

    def __init__(self, most: int, per: timedelta) -> None:
        self._most, self._per = most, per
        self._seen: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def allows(self, address: str, now: datetime) -> bool:
        """Count an event, unless it is one too many."""
        address = _counted(address)
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

    def wait(self, address: str, now: datetime) -> int:
        """In how many whole seconds the next event of an address is allowed.

        Examples
        --------
        >>> from datetime import UTC
        >>> rate, noon = Rate(1, timedelta(minutes=1)), datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> rate.allows("::1", noon), rate.wait("::1", noon + timedelta(seconds=20))
        (True, 40)
        """
        with self._lock:
            seen = self._seen.get(_counted(address))
            if not seen or len(seen) < self._most:
                return 0
            return max(1, -(-(seen[0] + self._per - now) // timedelta(seconds=1)))


def _counted(address: str) -> str:
    """By what an address is counted: itself, of IPv6 its /64; what is no address counts as it is.

    Examples
    --------
    >>> _counted("192.0.2.7"), _counted("::ffff:192.0.2.7"), _counted("fe80::1%eth0"), _counted("a:b")
    ('192.0.2.7', '192.0.2.7', 'fe80::/64', 'a:b')
    """
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False))
