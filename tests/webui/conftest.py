"""Sites for tests of the web app: on both databases, and on SQLite alone; with what reads faces, and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.webui.capturing import Seen, opened
from tests.webui.site import Site
from tracker import shipped

if TYPE_CHECKING:
    from tracker.fer.engine import Engine


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """The app on SQLite and on PostgreSQL."""
    made = Site(database_url, tmp_path)
    yield made
    made.access.database.close()
    made.access.keys.close()


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The app on SQLite alone, for what no database can change."""
    made = Site(sqlite_url, tmp_path)
    yield made
    made.access.database.close()
    made.access.keys.close()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The default network on the processor, loaded once."""
    from tracker.fer.engine import Engine  # noqa: PLC0415 - loads torch, which few of these tests need
    from tracker.fer.zoo import Zoo  # noqa: PLC0415

    return Engine(Zoo(shipped.models(), Path("/nonexistent")).load("default"), "cpu")


@pytest.fixture
def capturing(database_url: str, tmp_path: Path, engine: Engine, seen: Seen) -> Iterator[Site]:
    """The app with what reads faces; `seen` is the asking file's own."""
    yield from opened(database_url, tmp_path, engine, seen)


@pytest.fixture
def lite_capturing(sqlite_url: str, tmp_path: Path, engine: Engine, seen: Seen) -> Iterator[Site]:
    """The same on SQLite alone, for what no database can change."""
    yield from opened(sqlite_url, tmp_path, engine, seen)
