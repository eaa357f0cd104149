"""Push services: to which browser makers a message may go, and which addresses on the network are nobody's inside.

A browser that agrees to be pushed names an address at its maker's push service (RFC 8030). Whoever is logged in could
name any address instead, so only those of known services are taken, and only over TLS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

LONGEST = 1024
"""Characters of the longest address that is taken; those of today have about 200."""

MOST_DEVICES = 5
"""How many devices of one person are pushed at most."""

MAKERS: Mapping[str, str] = MappingProxyType(
    {
        "fcm.googleapis.com": "Google",
        "updates.push.services.mozilla.com": "Mozilla",
        "web.push.apple.com": "Apple",
        ".notify.windows.com": "Microsoft",
    }
)
"""Whose push service has which host; one that begins with a dot stands for all below it."""

_NAT64 = IPv6Network("64:ff9b::/96")
# A name alone, in labels: no address in brackets, whose zone (RFC 6874) could end like a maker's name.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class EndpointError(ValueError):
    """An address is none that a message may be sent to."""


@dataclass(frozen=True, slots=True)
class PushServices:
    """Where messages may go.

    Attributes
    ----------
    makers
        Whose push service has which host, as `MAKERS`.
    inside
        Hosts with their ports that may lie in a private network all the same: for tests, and for nothing else.
    """

    makers: Mapping[str, str] = field(default_factory=lambda: MAKERS)
    inside: frozenset[str] = frozenset()

    def maker(self, endpoint: str) -> str:
        """Whose push service an address is of.

        Raises
        ------
        EndpointError
            When it is of none, or not over TLS.

        Examples
        --------
        >>> PushServices().maker("https://fcm.googleapis.com/fcm/send/abc")
        'Google'
        >>> PushServices().maker("https://10.0.0.1/")
        Traceback (most recent call last):
        ...
        tracker.domain.pushing.EndpointError: that is no address of a push service we know
        """
        host = host_of(endpoint)
        name, _, port = host.rpartition(":")
        for known, maker in self.makers.items():
            below = known.startswith(".") and name.endswith(known)
            if host == known or (port == "443" and (name == known or below)):
                return maker
        raise EndpointError("that is no address of a push service we know")

    def may_lie_inside(self, endpoint: str) -> bool:
        """Whether an address may be one of a private network."""
        return host_of(endpoint) in self.inside


def host_of(endpoint: str) -> str:
    """Host and port of an address over TLS.

    Raises
    ------
    EndpointError
        When it is no plain ``https`` address.

    Examples
    --------
    >>> host_of("https://web.push.apple.com/QGu")
    'web.push.apple.com:443'
    """
    parts = _parts(endpoint)
    return f"{parts.hostname}:{parts.port or 443}"


def origin_of(endpoint: str) -> str:
    """Scheme and host of an address, as a signature names whom it is for (RFC 8292).

    Examples
    --------
    >>> origin_of("https://web.push.apple.com/QGu")
    'https://web.push.apple.com'
    """
    parts = _parts(endpoint)
    return f"https://{parts.hostname}" + ("" if parts.port in (None, 443) else f":{parts.port}")


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the open network: not private, of this machine, of the link, or for many.

    An IPv6 address that stands for one of IPv4 is judged by that.

    Examples
    --------
    >>> [is_outside(one) for one in ("142.250.1.95", "10.0.0.1", "127.0.0.1", "::ffff:169.254.169.254")]
    [True, False, False, False]
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved and not _of_site(one)
        for one in _meant(found)
    )


def contact_in(text: str) -> str | None:
    """The first address by which a push service can reach whoever sends, as it is written in a signature; None: none.

    Examples
    --------
    >>> contact_in("Dr. Example <privacy@example.org>"), contact_in("https://example.org/help"), contact_in("me")
    ('mailto:privacy@example.org', 'https://example.org/help', None)
    """
    if mail := _MAIL.search(text):
        return f"mailto:{mail[0]}"
    page = re.search(r"https://[^\s<>\"']+", text)
    return page[0] if page else None


def _of_site(address: IPv4Address | IPv6Address) -> bool:
    # RFC 3879 did away with them, and some networks have them still.
    return isinstance(address, IPv6Address) and address.is_site_local


def _meant(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    inner = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in inner if one is not None)]


def _parts(endpoint: str) -> SplitResult:
    wrong = EndpointError("an address of a push service begins with https:// and is one plain line")
    if len(endpoint) > LONGEST or not re.fullmatch(r"[\x21-\x7e]+", endpoint):
        raise wrong
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "https" or parts.username is not None or port == 0:
        raise wrong
    if not _HOST.fullmatch(parts.hostname or ""):
        raise wrong
    if parts.fragment or "\\" in endpoint:
        raise wrong
    return parts
