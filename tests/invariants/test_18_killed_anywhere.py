"""An erasure that is killed at any step is finished by the next run, and is called done only after it has looked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.builders import NOW, installation
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.lives import lived
from tests.postgres import Server
from tests.processes import close, die_at, finish, opened, start
from tracker.access import Access
from tracker.store import compacting, tombstones
from tracker.store.tombstones import Step
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)
NAME = "canary-name-91c2"
MOST = 200


def erase_and_die(url: str, folder: Path, point: int) -> None:
    access = opened(url, folder)
    who = access.person(NAME)
    die_at(access, point)
    erasure.erase_person(access, who, LATER)


class Copies:
    """One installation, as many times as wanted."""

    def __init__(self, url: str, folder: Path, server: Server | None) -> None:
        self.folder, self.server, self.made = folder, server, list[str]()
        self.template = folder / "template"
        self.template.mkdir()
        self.url = f"sqlite:///{self.template / 'affect.db'}" if server is None else url
        access = installation(self.url, self.template)
        self.other, self.who = lived(access, "somebody else"), lived(access, NAME)
        compacting.checkpoint(access.database)
        close(access)

    def copy(self, number: int) -> tuple[str, Path]:
        here = self.folder / f"copy{number}"
        shutil.copytree(self.template, here)
        if self.server is None:
            return f"sqlite:///{here / 'affect.db'}", here
        template = make_url(self.url).database
        self.made.append(f"{template}_{number}")
        self.server.execute(f'CREATE DATABASE "{self.made[-1]}" TEMPLATE "{template}"')
        return self.server.url(self.made[-1]), here

    def drop(self) -> None:
        for name in self.made:
            assert self.server is not None
            self.server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.made.clear()


@pytest.fixture
def copies(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Copies]:
    server = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres_server")
    made = Copies(database_url, tmp_path, server)
    yield made
    made.drop()


def test_killed_at_every_step(copies: Copies, figure: Tell) -> None:
    killed = 0
    for point in range(1, MOST):
        url, folder = copies.copy(point)
        (code,) = finish(start(erase_and_die, url, folder, point))
        access = opened(url, folder)
        assert access.audit() is None
        with access.database.read() as connection:
            steps = [t.step for t in tombstones.every(connection)]
        if not steps:
            assert access.person(NAME).id == copies.who.id, "nothing has happened, and everything is there"
            erasure.erase_person(access, access.person(NAME), LATER)
        elif steps == [Step.DONE]:
            _nothing_left(access, copies)  # whoever says done has looked
        erasure.resume(access, LATER)
        assert erasure.resume(access, LATER) == []
        with access.database.read() as connection:
            assert [t.step for t in tombstones.every(connection)] == [Step.DONE]
        _nothing_left(access, copies)
        assert access.audit() is None
        assert [p.id for p in access.everyone()] == [copies.other.id]
        close(access)
        shutil.rmtree(folder)
        copies.drop()
        if code == 0:
            break
        killed += 1
    assert code == 0, f"still dying after {MOST} steps"
    assert killed >= 15
    figure(f"killed at each of {killed} steps")


def _nothing_left(access: Access, copies: Copies) -> None:
    needles = {
        "participant": copies.who.id.encode(),
        "subject": copies.who.subject.encode(),
        "name": NAME.encode(),
    }
    files = held.database_bytes(access) | held.key_store_bytes(access)
    assert [hit for name, some in files.items() for hit in search(name, some, needles)] == []
    assert not held.naming(held.rows(access), copies.who.id, copies.who.subject)


def test_bytes_that_stayed_are_never_called_done(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = lived(access)
    assert access.database.path is not None
    journal = access.database.path.with_name(f"{access.database.path.name}-journal")
    journal.write_bytes(b"x" * 1_048_570 + who.subject.encode())  # across the end of a chunk of the search
    with pytest.raises(erasure.ErasureIncompleteError):
        erasure.erase_person(access, who, LATER)
    with access.database.read() as connection:
        assert Step.DONE not in [t.step for t in tombstones.every(connection)]
    journal.unlink()
    assert len(erasure.resume(access, LATER)) == 1
    close(access)


def test_doing_it_twice_changes_nothing(copies: Copies) -> None:
    url, folder = copies.copy(0)
    access = opened(url, folder)
    erasure.erase_person(access, access.person(NAME), LATER)
    before = held.rows(access)
    erasure.resume(access, LATER + timedelta(hours=1))
    erasure.carry_out(access, LATER)
    assert held.rows(access) == before
    close(access)
