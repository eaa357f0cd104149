from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.site import Site


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
