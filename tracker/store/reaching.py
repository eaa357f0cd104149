"""How PostgreSQL is reached: on another machine over TLS alone, with a certificate that this machine trusts."""

from __future__ import annotations

import ssl
from typing import Any

from sqlalchemy import URL

HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})
"""Hosts that are this machine; so is a socket in a folder."""

PLAIN = "disable"
"""What ``sslmode`` says in an address where another machine is to be reached without TLS all the same."""


def reached(url: URL) -> tuple[URL, dict[str, Any]]:
    """The address that the driver is given, and what it is told of TLS.

    Parameters
    ----------
    url
        As it was written, perhaps with ``?sslmode=disable``.

    Returns
    -------
    tuple of URL and dict
        Without ``sslmode``, which is no option of the driver's; and the arguments for it.

    Examples
    --------
    >>> from sqlalchemy import make_url
    >>> sorted(reached(make_url("postgresql://ada@db.example.org/affect"))[1])
    ['ssl_context']
    >>> reached(make_url("postgresql://ada@db.example.org/affect?sslmode=disable"))[1]
    {}
    >>> reached(make_url("postgresql://ada@localhost/affect"))[1]
    {}
    """
    given = url.query.get("sslmode")
    plain = url.difference_update_query(["sslmode"])
    if given == PLAIN or "unix_sock" in url.query or (url.host or "") in HERE:
        return plain, {}
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return plain, {"ssl_context": context}
