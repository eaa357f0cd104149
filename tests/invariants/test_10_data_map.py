"""Every stored column and every file that a process could have written is declared in the data map."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from tests.invariants.conftest import Tell
from tests.invariants.lives_watched import Life
from tests.invariants.watching import Watched
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.privacy.datamap import TABLES
from tracker.privacy.files import FILES
from tracker.store import erasing, tables

MECHANICS = {"alembic_version"}


def test_every_column_of_the_database_is_declared(access: Access, figure: Tell) -> None:
    found = MetaData()
    with access.database.read() as connection:
        found.reflect(connection)
    stored = {(t.name, c.name) for t in found.tables.values() if t.name not in MECHANICS for c in t.columns}
    keys = MetaData()
    with access.keys._database.read() as connection:
        keys.reflect(connection)
    stored |= {(t.name, c.name) for t in keys.tables.values() if t.name not in MECHANICS for c in t.columns}
    declared = {(c.table, c.name) for t in TABLES for c in t.columns}
    assert stored - declared == set(), "stored and not declared"
    assert declared - stored == set(), "declared and not stored"
    figure(f"{len(stored)} columns of {len({t for t, _ in stored})} tables declared")


def test_what_derives_from_a_scope_goes_with_it() -> None:
    columns = {f"{c.table}.{c.name}": c for t in TABLES for c in t.columns}
    for name, column in columns.items():
        for origin in column.derives_from:
            assert origin in columns, f"{name} derives from {origin}, which is not stored"
    personal = {t.name for t in erasing.owned("s", "p")}
    for column in columns.values():
        if isinstance(column.ground, Scope) and column.table in tables.metadata.tables:
            assert column.table in personal, (
                f"{column.table} rests on {column.ground} and outlives the person"
            )


def test_every_file_that_could_have_been_written_is_declared(life: Life, figure: Tell) -> None:
    done = life.run("series")
    seen = life.ours() | done.files
    undeclared = sorted(str(path) for path in seen if not declared(life, path))
    assert undeclared == []
    assert any(path.name.endswith(".keys.db") for path in seen)
    figure(f"{len(seen)} files written by the command line and its children ({done.how}), all declared")


def declared(life: Life, path: Path) -> bool:
    """Whether the list of files has a pattern for it, or names the folder that somebody chose for it."""
    if path in (life.folder, life.data) or path.is_dir():
        return True
    if (life.folder / "exported") in path.parents or (
        path.parent == life.folder and path.name.startswith("exported")
    ):
        return any("export names" in file.pattern for file in FILES)
    if path.parent == life.data or life.data in path.parents:
        name = str(path.relative_to(life.data))
        patterns = [file.pattern for file in FILES]
        # On PostgreSQL the key store is named for the server's database.
        names = (
            [name, name.replace(name.partition(".keys.db")[0], "affect", 1)] if ".keys.db" in name else [name]
        )
        return any(fnmatch(n, pattern) for n in names for pattern in patterns)
    return False


@pytest.mark.parametrize("name", ["spool.bin", "affect.db.copy", "frames/1.png"])
def test_a_file_that_nobody_declared_is_noticed(tmp_path: Path, name: str) -> None:
    life = Life(tmp_path, "")
    assert not declared(life, life.data / name)
    assert not declared(life, tmp_path / "tmp" / name)
    assert Watched(0, "", "", "").files == set()
