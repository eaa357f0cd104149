from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, text

from tests.builders import NOW, installation
from tests.lives import PLACE, lived
from tests.postgres import Server
from tests.processes import close
from tracker.store import compacting
from tracker.store.tables import leases
from tracker.workflows import erasure

CANARY = "canary-outcome-" + "5e1f" * 10


def test_deleted_bytes_are_gone_from_a_sqlite_file(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    files = compacting.files_of(access.database.path or Path())
    with access.database.write() as connection:
        many = [
            {"job": "j", "slot": str(i), "holder": "h", "until": NOW, "outcome": CANARY} for i in range(500)
        ]
        connection.execute(insert(leases), many)
    with access.database.write() as connection:
        connection.execute(delete(leases))
    assert compacting.traces(files, [CANARY.encode()]) != [], "the deletion alone leaves them in the WAL"
    assert compacting.checkpoint(access.database)
    assert compacting.traces(files, [CANARY.encode()]) == []
    assert compacting.compact(access.database, ["leases"])
    with access.database.alone() as connection:
        assert connection.execute(text("PRAGMA freelist_count")).scalar_one() == 0
    close(access)


def test_a_checkpoint_that_a_reader_is_in_the_way_of_says_so(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    with access.database.read() as reading:
        reading.execute(text("SELECT count(*) FROM leases")).scalar_one()
        with access.database.write() as connection:
            connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=NOW))
        assert not compacting.checkpoint(access.database, patience_s=0.05)
        assert not compacting.compact(access.database, ["leases"], patience_s=0.05)
    assert compacting.compact(access.database, ["leases"])
    with access.database.alone() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 30_000
    close(access)


def table_files(server: Server, url: str) -> list[Path]:
    if server.socket is None:
        pytest.skip("the files of a PostgreSQL elsewhere cannot be looked at")
    return [path for path in (server.socket.parent / "data" / "base").rglob("*") if path.is_file()]


def test_an_erased_persons_bytes_are_gone_from_postgresqls_tables(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    access = installation(postgres_url, tmp_path)
    who = lived(access)
    with access.database.alone() as connection:
        connection.execute(text("CHECKPOINT"))
    needles = [PLACE.encode(), who.id.encode(), who.subject.encode()]
    assert compacting.traces(table_files(postgres_server, postgres_url), needles) != []
    erasure.erase_person(access, who, NOW + timedelta(minutes=1))
    assert compacting.traces(table_files(postgres_server, postgres_url), needles) == []
    close(access)


def test_a_table_that_somebody_holds_is_not_waited_for_forever(postgres_url: str, tmp_path: Path) -> None:
    access = installation(postgres_url, tmp_path)
    with access.database.write() as connection:
        connection.execute(text("LOCK TABLE leases IN ACCESS SHARE MODE"))
        assert not compacting.compact(access.database, ["leases"], patience_s=0.2)
    assert compacting.compact(access.database, ["leases"])
    with access.database.alone() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "0"
    close(access)


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("where", [0, (1 << 20) - 3, 1 << 20, 2 << 20])
def test_a_needle_is_found_wherever_it_lies(tmp_path: Path, size: int, where: int) -> None:
    path = tmp_path / "file"
    content = bytearray(size)
    needle = b"needle"
    fits = where + len(needle) <= size
    if fits:
        content[where : where + len(needle)] = needle
    path.write_bytes(content)
    assert compacting.traces([path, tmp_path / "missing"], [b"hay", needle]) == (["file"] if fits else [])
