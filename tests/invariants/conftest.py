"""What every invariant's tests may ask for, and how they tell the figure that stands in the table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracker
from tests.builders import installation
from tests.invariants.catalogue import number_of
from tests.invariants.lives_watched import Life, begun
from tests.postgres import Server
from tests.processes import close
from tests.webui.site import Site
from tracker.access import Access

# A mutant is a copy of the tree: what is imported must be that copy, or every mutant would seem to survive.
assert Path(tracker.__file__).parents[1] == Path(__file__).parents[2], tracker.__file__

Tell = Callable[[str], None]
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE and number_of(item.path.name) is not None:
            item.add_marker(pytest.mark.privacy)
            if "life" in getattr(item, "fixturenames", ()):
                # One life on each database, whatever process it falls to.
                item.add_marker(pytest.mark.xdist_group(f"life on {'postgresql' in item.name}"))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Tell:
    """Tell what was counted; it stands in the table that `make privacy` prints."""
    return lambda text: request.node.user_properties.append(("figure", text))


@pytest.fixture
def rounds() -> Callable[[int], int]:
    """How often to do something that the proof does `n` times; mutants are killed with fewer."""
    share = float(os.environ.get("AFFECT_PROOF_SHARE", "1"))
    return lambda n: max(2, round(n * share))


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    """An installation on SQLite and on PostgreSQL."""
    made = installation(database_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """The web app on SQLite and on PostgreSQL."""
    made = Site(database_url, tmp_path)
    yield made
    close(made.access)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """One life on each database, shared by the invariants that look at what it left in files."""
    folder = tmp_path_factory.mktemp("life") / "home"
    if request.param == "sqlite":
        yield begun(folder, "")
        return
    server: Server = request.getfixturevalue("postgres_server")
    with server.database("affect_life") as url:
        yield begun(folder, url)
