"""The wire: what TLS is spoken, and that one request cannot be read as two."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from webui import server


def context() -> ssl.SSLContext:
    """As gunicorn makes it, with what we say."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.set_ciphers(server.CIPHERS)
    return made


def test_nothing_older_than_tls_1_2_is_spoken_and_only_with_keys_of_one_connection() -> None:
    made = server._tls(None, context)
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.maximum_version in (ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_3)
    for cipher in made.get_ciphers():
        assert cipher["aead"], cipher["name"]
        assert cipher["protocol"] == "TLSv1.3" or cipher["kea"] == "kx-ecdhe", cipher["name"]
        assert cipher["strength_bits"] >= 128, cipher["name"]


def requests(*parts: bytes) -> list[Any]:
    """What our server makes of the bytes of one connection."""
    found = []
    for request in RequestParser(Config(), iter([b"".join(parts)]), ("192.0.2.1", 1)):
        found.append((request.method, request.path, request.body.read()))
    return found


def test_what_is_plain_is_read() -> None:
    plain = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    assert requests(plain) == [("POST", "/login", b"abc")]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: +3\r\n",
        b"Content-Length: 0x3\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"X: a\x00b\r\n",
        b"X : a\r\n",
        b"Host: b\r\n folded\r\n",
    ],
)
def test_what_two_servers_could_read_differently_is_refused(head: bytes) -> None:
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with pytest.raises(ParseException):
        requests(b"POST /login HTTP/1.1\r\nHost: a\r\n", head, b"\r\n", smuggled)
