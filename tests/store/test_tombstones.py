"""A tombstone that somebody wrote into by hand is told, and nothing runs into it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from tests.builders import NOW, installation
from tests.processes import close
from tracker.store import tables, tombstones
from tracker.store.database import DatabaseError

WRITTEN: dict[str, Any] = {
    "step": "done", "rows": {}, "exports": 0, "keys": 0, "log": [], "signature": "", "pending": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"step": "never"},
        {"step": None},
        {"log": None},
        {"signature": "no hex"},
        {"signature": 5},
        {"clean_at": "soon"},
    ],
)
def test_an_altered_tombstone_is_told(database_url: str, tmp_path: Any, changed: dict[str, Any]) -> None:
    access = installation(database_url, tmp_path)
    values = {"id": "a" * 32, "subject_digest": "b" * 64, "erased_at": NOW}
    with access.database.write() as connection:
        connection.execute(insert(tables.tombstones).values(**values, counts=WRITTEN | changed))
    with access.database.read() as connection:
        for read in (tombstones.every, lambda c: tombstones.get(c, "a" * 32)):
            with pytest.raises(DatabaseError, match=r"'a{32}' cannot be read .*altered"):
                read(connection)
    close(access)


@pytest.mark.parametrize("lacking", sorted(WRITTEN))
def test_one_that_lacks_something_is_told(sqlite_url: str, tmp_path: Any, lacking: str) -> None:
    access = installation(sqlite_url, tmp_path)
    counts = {name: value for name, value in WRITTEN.items() if name != lacking}
    values = {"id": "a" * 32, "subject_digest": "b" * 64, "erased_at": NOW, "counts": counts}
    with access.database.write() as connection:
        connection.execute(insert(tables.tombstones).values(**values))
    with access.database.read() as connection, pytest.raises(DatabaseError, match=r"'a{32}'.*altered"):
        tombstones.every(connection)
    close(access)
