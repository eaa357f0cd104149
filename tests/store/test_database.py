import importlib.util
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import QueuePool, event, exc, insert, select, text

from tests.builders import NOW, installation
from tests.processes import close, opened
from tracker.access import Access
from tracker.store import compacting
from tracker.store import database as database_module
from tracker.store.database import Database, DatabaseError, StatementError, StorageFullError, ping
from tracker.store.tables import leases, participants
from tracker.store.types import from_microseconds, to_microseconds


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


PRAGMAS = {
    "journal_mode": "wal",
    "foreign_keys": 1,
    "secure_delete": 1,  # 2 would be "fast", which leaves bytes
    "synchronous": 2,
    "temp_store": 2,
}


@pytest.mark.parametrize("mode", ["read", "write", "alone"])
def test_every_sqlite_connection_has_its_pragmas(
    sqlite_url: str, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests wait for no disk (`tests.conftest`), so what holds outside of them is read from an untouched copy."""
    spec = importlib.util.spec_from_file_location("untouched", Path(database_module.__file__))
    assert spec is not None
    assert spec.loader is not None
    untouched = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(untouched)
    monkeypatch.setattr(database_module, "SYNCHRONOUS", untouched.SYNCHRONOUS)
    access = installation(sqlite_url, tmp_path)
    for database in (access.database, access.keys._database):
        with getattr(database, mode)() as connection:
            assert {p: connection.execute(text(f"PRAGMA {p}")).scalar_one() for p in PRAGMAS} == PRAGMAS
    close(access)


def test_a_foreign_key_must_exist(access: Access) -> None:
    with pytest.raises(StatementError, match=r"(?i)foreign key|23503"), access.database.write() as connection:
        connection.execute(text("INSERT INTO export_members VALUES ('nowhere', 'nobody')"))


def test_what_raises_is_rolled_back(access: Access) -> None:
    def fail() -> None:
        with access.database.write() as connection:
            connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=NOW))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with access.database.read() as connection:
        assert connection.execute(select(leases)).all() == []


def test_a_read_sees_one_snapshot_while_others_write(access: Access) -> None:
    with access.database.read() as reading:
        assert reading.execute(select(leases)).all() == []
        with access.database.write() as writing:
            writing.execute(insert(leases).values(job="j", slot="s", holder="h", until=NOW))
        assert reading.execute(select(leases)).all() == []
    with access.database.read() as reading:
        assert len(reading.execute(select(leases)).all()) == 1


def test_after_maintenance_writes_still_exclude_each_other(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    compacting.compact(access.database, ())
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with access.database.write():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with access.database.write() as connection:
        inside.set()
        connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=NOW))
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    close(access)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))
def test_every_instant_survives_microseconds(at: datetime) -> None:
    assert from_microseconds(to_microseconds(at)) == at.astimezone(UTC)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_instants_come_back_exactly_and_in_utc(access: Access, at: datetime) -> None:
    with access.database.write() as connection:
        connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=at))
    with access.database.read() as connection:
        stored = connection.execute(select(leases.c.until)).scalar_one()
    assert stored == at
    assert stored.tzinfo is UTC or stored.utcoffset() == timedelta(0)


def test_a_naive_instant_is_refused(access: Access) -> None:
    naive = datetime(2026, 3, 1)
    with pytest.raises(exc.StatementError, match="naive"), access.database.write() as connection:
        connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=naive))
    with pytest.raises(exc.StatementError, match="naive"), access.database.read() as connection:
        connection.execute(select(leases).where(leases.c.until > naive))


HALF_A_PAIR = "a\ud800b"
"""What JSON can say and no database can hold: the drivers raise UnicodeEncodeError, which is no database's error."""


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_text_that_no_driver_can_send_leaves_the_next_visitor_unharmed(access: Access, mode: str) -> None:
    for _ in range(20):  # more often than the pool has connections
        with pytest.raises(UnicodeEncodeError), getattr(access.database, mode)() as connection:
            connection.execute(text("SELECT :mine"), {"mine": HALF_A_PAIR})
        for number in (1, 2):
            with access.database.read() as connection:
                assert connection.execute(text("SELECT :n + 0"), {"n": number}).scalar_one() == number
    pool = access.database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0


def test_what_was_written_before_such_a_text_is_rolled_back(access: Access) -> None:
    rows = [{"job": "j", "slot": slot, "holder": "h", "until": NOW} for slot in ("s", HALF_A_PAIR)]

    def fail() -> None:
        with access.database.write() as connection:
            for row in rows:
                connection.execute(insert(leases).values(row))

    with pytest.raises(UnicodeEncodeError):
        fail()
    with access.database.read() as connection:
        assert connection.execute(select(leases)).all() == []


def test_a_database_whose_connections_are_all_taken_says_so(database_url: str, tmp_path: Path) -> None:
    close(installation(database_url, tmp_path))
    database = Database(database_url)
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    pool._timeout = 0.01
    with ExitStack() as taken:
        for _ in range(pool.size() + pool._max_overflow):
            taken.enter_context(database.read())
        with pytest.raises(DatabaseError, match="connections are taken"):
            ping(database)
    ping(database)
    database.close()


def test_many_rows_go_into_sqlite_twenty_at_once(sqlite_url: str, tmp_path: Path) -> None:
    """A statement for each row costs a table with triggers a journal for each row (`docs/decisions/0040`)."""
    access, said = installation(sqlite_url, tmp_path), []

    def noted(*told: object) -> None:
        said.append(str(told[2]))

    event.listen(access.database.engine, "before_cursor_execute", noted)
    rows = [{"job": "j", "slot": f"{n:02}", "holder": "h", "until": NOW} for n in range(45)]
    with access.database.write() as connection:
        connection.execute(insert(leases), rows)
        assert sorted(connection.execute(select(leases.c.slot)).scalars()) == [row["slot"] for row in rows]
    # Each row is one pair of brackets.
    assert [s.partition("VALUES")[2].count("(") for s in said if s.startswith("INSERT")] == [20, 20, 5]
    close(access)


def test_bytes_come_back_as_they_were(access: Access) -> None:
    sealed = bytes(range(256))
    with access.database.write() as connection:
        connection.execute(
            insert(participants).values(
                id="i",
                name_digest="d",
                name_sealed=sealed,
                subject_sealed=b"",
                zone="UTC",
                simulated=True,
                enrolled_at=NOW,
            )
        )
    with access.database.read() as connection:
        row = connection.execute(select(participants)).one()
    assert (row.name_sealed, row.subject_sealed, row.simulated) == (sealed, b"", True)


# What can be wrong with a database: each one line that says so.


def test_a_missing_file_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no database at .* affect-tracker init"):
        Database(f"sqlite:///{tmp_path / 'nowhere' / 'affect.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["affect.db", "mysql://u:secret@h/d", "postgresql+nodriver://h/d", ""])
def test_a_url_that_cannot_be_used_says_so(url: str) -> None:
    with pytest.raises(DatabaseError) as told:
        ping(Database(url))
    assert "secret" not in str(told.value)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "affect.db"
    path.write_bytes(b"this is a diary, not a database. " * 100)
    with pytest.raises(DatabaseError, match="not a SQLite database"):
        ping(Database(f"sqlite:///{path}"))


def test_a_server_that_does_not_answer_says_so() -> None:
    with pytest.raises(DatabaseError, match="cannot be used") as told:
        ping(Database("postgresql://ann:secret@127.0.0.1:9/affect"))
    assert "secret" not in str(told.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere, so nothing is read-only to it")
def test_a_read_only_folder_says_so(sqlite_url: str, tmp_path: Path) -> None:
    close(installation(sqlite_url, tmp_path))
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DatabaseError), Database(sqlite_url).write() as connection:
            connection.execute(insert(leases).values(job="j", slot="s", holder="h", until=NOW))
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_rolls_back_and_says_so(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    with access.database.alone() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    many = [
        {"job": "j", "slot": str(i), "holder": "h", "until": NOW, "outcome": "x" * 900} for i in range(999)
    ]
    with pytest.raises(StorageFullError, match="half-written"), access.database.write() as connection:
        connection.execute(insert(leases), many)
    close(access)
    with Database(sqlite_url).read() as connection:
        assert connection.execute(select(leases)).all() == []


def test_a_locked_database_says_so(sqlite_url: str, tmp_path: Path) -> None:
    close(installation(sqlite_url, tmp_path))
    database = opened(sqlite_url, tmp_path).database
    holder = sqlite3.connect(database.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with database.alone() as connection:
        connection.execute(text("PRAGMA busy_timeout = 50"))
    with pytest.raises(DatabaseError, match="locked"), database.write():
        pass
    holder.close()
    database.close()


def test_a_new_database_is_readable_by_whoever_made_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "affect.db"
    database = Database(f"sqlite:///{path}", create=True)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (id integer)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)
    assert len(modes) >= 2  # the write-ahead log too
    assert path.parent.stat().st_mode & 0o777 == 0o700
    database.close()
