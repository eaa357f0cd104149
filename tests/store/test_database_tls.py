"""A database on another machine is spoken to over TLS with somebody trusted, or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.webui.test_server import certificate
from tracker.store.database import Database, DatabaseError
from tracker.store.reaching import reached

ANOTHER = "127.0.0.2"
"""This machine under an address that is not said to be it."""

ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")


@contextmanager
def server(answers: bytes, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """What speaks the beginning of PostgreSQL's protocol; yields its port, and what it was told."""
    told: list[bytes] = []

    def serve() -> None:
        with listener:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(20)
                    told.append(connection.recv(8))
                    connection.sendall(answers)
                    if context is not None:
                        with context.wrap_socket(connection, server_side=True) as secret:
                            told.append(secret.recv(1000))
                    else:
                        told.append(connection.recv(1000))
            except OSError:
                pass

    listener = socket.create_server((ANOTHER, 0))
    listener.settimeout(20)
    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], told
    thread.join()


def ask(url: str) -> None:
    database = Database(url)
    try:
        with database.read():
            pytest.fail("nobody answers there")
    finally:
        database.close()


def test_another_machine_is_reached_over_tls_alone() -> None:
    with server(b"N") as (port, told), pytest.raises(DatabaseError):
        ask(f"postgresql://ann:secret@{ANOTHER}:{port}/affect")
    assert told[0] == ASKS_FOR_TLS
    assert told[1:] in ([], [b""]), "who asks, and the password, were told to nobody"


def test_a_server_that_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    with server(b"S", context) as (port, told), pytest.raises(DatabaseError):
        ask(f"postgresql://ann:secret@{ANOTHER}:{port}/affect")
    assert told == [ASKS_FOR_TLS]


@pytest.mark.parametrize(
    "where", ["localhost/a", "127.0.0.1:5433/a", "[::1]/a", "/a?unix_sock=/run/pg/.s.PGSQL.5432"]
)
def test_this_machine_is_reached_as_it_is(where: str) -> None:
    assert reached(make_url(f"postgresql+pg8000://ann@{where}"))[1] == {}


def test_whoever_says_so_goes_without() -> None:
    url, tls = reached(
        make_url("postgresql+pg8000://ann@db.example.org/a?sslmode=disable&application_name=x")
    )
    assert tls == {}
    assert dict(url.query) == {"application_name": "x"}, "the driver knows no sslmode"
