"""What every test may ask for: a database of its own, on SQLite and on a real PostgreSQL."""

import contextlib
import os
import signal

# Tests run on all cores already; more threads in each of their processes only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import templates
from tests.browser import NoBrowserError, chromium
from tests.postgres import NoServerError, Server, embedded
from tracker.vision.quiet import quieten

# FFmpeg takes its level from the first file that a process opens, and tests write clips with bare OpenCV.
quieten()

# A runner that was started in the background hands on an ignored Ctrl-C; children of the tests must hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server that AFFECT_TEST_POSTGRES_URL names, else an embedded one for this run."""
    named = os.environ.get("AFFECT_TEST_POSTGRES_URL")
    with contextlib.ExitStack() as running:
        try:
            server = Server.from_url(named) if named else running.enter_context(embedded())
        except NoServerError as reason:
            if named or os.environ.get("CI", "").lower() in {"1", "true"}:
                pytest.fail(f"the PostgreSQL half of the database tests cannot run: {reason}")
            pytest.skip(f"the PostgreSQL half of the database tests is skipped: {reason}")
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> Iterator[str]:
    """The name of a PostgreSQL database that has today's tables."""
    with templates.template(postgres_server) as name:
        yield name


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """A fresh PostgreSQL database with today's tables as a SQLAlchemy URL; dropped afterwards."""
    with postgres_server.database(f"affect_test_{uuid.uuid4().hex}", postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """A PostgreSQL database without a table as a SQLAlchemy URL; dropped afterwards."""
    with postgres_server.database(f"affect_test_{uuid.uuid4().hex}") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, as a SQLAlchemy URL."""
    return f"sqlite:///{tmp_path / 'affect.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database's URL, for `installation`: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without a table: the test runs once on SQLite and once on PostgreSQL."""
    names = {"sqlite": "sqlite_url", "postgresql": "empty_postgres_url"}
    url: str = request.getfixturevalue(names[request.param])
    return url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The Chromium for Playwright's ``executable_path``; browser tests never download one."""
    try:
        return chromium()
    except NoBrowserError as reason:
        pytest.fail(str(reason))
