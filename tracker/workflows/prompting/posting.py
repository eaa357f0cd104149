"""Hand a message without content to a push service (RFC 8030): to a checked address, once, and whatever it says back.

The name of the service is looked up here and each of its addresses looked at; the connection then goes to one that was
looked at, so that a name which means something else a moment later leads nowhere. The certificate must be the name's.
No redirect is followed, no proxy asked, and no more than the head of an answer read.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import urlsplit

from tracker.domain.pushing import PushServices, host_of, is_outside

PATIENCE_S = 5.0
"""Seconds to wait for a connection, and for each part of an answer."""

IN_ALL = 2
"""How many times that an answer may take in all: one that drips, or never gets beyond interim ones, is cut off."""

MOST_ADDRESSES = 3
"""Of how many addresses of a name a connection is tried, one after the other."""

_FOREVER_S = 10 * 24 * 3600
_DIGITS = re.compile(r"[0-9]+")

Resolve = Callable[[str, int], list[str]]
"""From a host's name and a port to its addresses."""


class NotSentError(Exception):
    """No connection came about, so nothing was sent; it can be tried again."""


class UnsureError(Exception):
    """It was sent and no answer came: it may have arrived, so it is not sent again."""


class RefusedHereError(Exception):
    """The name leads into a private network: nothing was sent, and nothing will be."""


@dataclass(frozen=True, slots=True)
class Push:
    """A message that says nothing but that it is there.

    Attributes
    ----------
    endpoint
        Where to.
    authorization
        Who sends it (`tracker.privacy.vapid`).
    ttl_s
        For how long the push service keeps it for a device that is off, in seconds.
    """

    endpoint: str
    authorization: str
    ttl_s: int

    def headers(self) -> Mapping[str, str]:
        """What is said beside it: of several that wait for a device only the newest is kept."""
        return {
            "Authorization": self.authorization,
            "TTL": str(self.ttl_s),
            "Topic": "question",
            "Urgency": "normal",
            "Content-Length": "0",
        }


@dataclass(frozen=True, slots=True)
class Posted:
    """What a push service said: its status, and after how many seconds to come again, where it says so."""

    status: int
    retry_after_s: int | None = None


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, each once, as the system names them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class Poster:
    """Sends messages to push services.

    Parameters
    ----------
    services
        Where they may go.
    resolve
        Looks names up.
    tls
        Which certificates are believed; None: those of the system.
    patience_s
        Seconds to wait for a connection, and for each part of an answer.
    """

    def __init__(
        self,
        services: PushServices,
        *,
        resolve: Resolve = resolved,
        tls: ssl.SSLContext | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._services = services
        self._resolve = resolve
        self._tls = tls
        self._patience_s = patience_s

    def __call__(self, push: Push, now: datetime) -> Posted:
        """Send a message, once.

        Raises
        ------
        EndpointError, RefusedHereError
            When it must not be sent there.
        NotSentError
            When nothing was sent.
        UnsureError
            When it is not known whether it arrived.
        """
        self._services.maker(push.endpoint)
        host, port = host_of(push.endpoint).rsplit(":", 1)
        connection = HTTPSConnection(host, int(port), timeout=self._patience_s)
        connected = self._connected(push.endpoint, host, int(port))
        connection.sock = connected
        # Not the method of the encrypted socket: that one would go on reading in the open.
        cut = Timer(IN_ALL * self._patience_s, _cut, [connected])
        cut.start()
        parts = urlsplit(push.endpoint)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", path, headers=dict(push.headers()))
            answer = connection.getresponse()
            return Posted(answer.status, _seconds(answer.getheader("Retry-After", ""), now))
        except (OSError, HTTPException) as error:
            raise UnsureError(type(error).__name__) from None
        finally:
            cut.cancel()
            connection.close()

    def _connected(self, endpoint: str, host: str, port: int) -> ssl.SSLSocket:
        """A connection to a push service: encrypted, its certificate checked, nothing sent yet."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotSentError(type(error).__name__) from None
        inside = self._services.may_lie_inside(endpoint)
        if not addresses or not (inside or all(map(is_outside, addresses))):
            raise RefusedHereError
        tls = self._tls or ssl.create_default_context()
        plain = self._reached(addresses[:MOST_ADDRESSES], port)
        try:
            return tls.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise NotSentError(type(error).__name__) from None

    def _reached(self, addresses: list[str], port: int) -> socket.socket:
        """A connection to the first of some addresses that takes one: a name may have some that lead nowhere here."""
        why = ""
        for address in addresses:
            try:
                return socket.create_connection((address, port), self._patience_s)
            except OSError as error:
                why = type(error).__name__
        raise NotSentError(why)


def _cut(connected: ssl.SSLSocket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _seconds(said: str, now: datetime) -> int | None:
    """After how many seconds to come again: said as such, or as a date (RFC 9110, 10.2.3).

    Examples
    --------
    >>> noon = datetime(2026, 3, 20, 12, tzinfo=UTC)
    >>> _seconds("120", noon), _seconds("Fri, 20 Mar 2026 12:01:00 GMT", noon), _seconds("soon", noon)
    (120, 60, None)
    """
    if _DIGITS.fullmatch(said.strip()):
        # A year is as good as ever; more digits than a number may have are no reason to come at once.
        return min(int(said.strip()[:18]), _FOREVER_S)
    try:
        at = parsedate_to_datetime(said)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return min(max(0, int((at - now).total_seconds())), _FOREVER_S)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
