"""What every test may ask for: a database of its own, on SQLite and on a real PostgreSQL."""

import contextlib
import gc
import os
import signal

# Tests run on all cores already; more threads in each of their processes only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests import statements, templates
from tests.browser import NoBrowserError, chromium
from tests.postgres import NoServerError, Server, embedded
from tracker.domain import passwords
from tracker.store import database
from tracker.vision.quiet import quieten

# FFmpeg takes its level from the first file that a process opens, and tests write clips with bare OpenCV.
quieten()

# A runner that was started in the background hands on an ignored Ctrl-C; children of the tests must hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


HERE = Path(__file__).parent
QUICK = (HERE / "store", HERE / "access")
"""What must see both databases in every run: the statements themselves, and the gate that holds their locks."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the other rooms' second run, on PostgreSQL, to ``make test-postgres``: what they do is the same there."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {}).values()
        second = any(isinstance(value, str) and value == "postgresql" for value in params)
        if second and item.path.parent != HERE and item.path.parent not in QUICK:
            item.add_marker(pytest.mark.postgres)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage in what lasts as long as the process: libraries, and some seven thousand tests.

    To look again and again while they are made takes a fifth of a collection, and to look at them later a tenth of
    what the tests themselves take.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hash passwords with the least that Argon2 takes; `tests.domain` holds what it takes outside of tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "_ARGON2", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(autouse=True, scope="session")
def unhurried_disks() -> Iterator[None]:
    """Let SQLite wait for no disk: nobody pulls a test's plug. `tests.store` holds that it waits outside of tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(autouse=True, scope="session")
def compiled_statements() -> Iterator[None]:
    """Let all engines of this process share what they compiled; outside of tests there is one engine."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "create_engine", statements.engine)
        yield


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
