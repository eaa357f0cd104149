"""A real server on a free port, in a thread, and clients that ask it over the network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.webui.api.programs import token
from tests.webui.site import Site
from tracker import shipped
from tracker.client import Client
from tracker.domain.members import Member
from tracker.domain.people import Person
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.vision.faces import Face
from tracker.vision.recording import Pixels
from tracker.workflows.ingest import Reader

FACE = (80.0, 20.0, 120.0, 150.0)


class Stated:
    """A detector that sees one face, always there."""

    name = "stated"

    def find(self, _: Pixels) -> tuple[Face, ...]:
        return (Face(FACE, 0.9, None, self.name),)


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The app on SQLite; what the databases could change is asked in ``tests/webui/api``."""
    engine = Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")
    made = Site(sqlite_url, tmp_path, reader=lambda: Reader(engine, Stated))
    yield made
    made.app.extensions["affect-tracker"].close()
    made.access.close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """Where the app is served."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(site: Site, address: str) -> Iterator[Callable[[Person | Member], Client]]:
    """Makes clients with a token for everything that somebody may."""
    made: list[Client] = []

    def of(whom: Person | Member) -> Client:
        made.append(Client(address, token(site, whom).text))
        return made[-1]

    yield of
    for one in made:
        one.close()
