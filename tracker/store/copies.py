"""Copies of a whole database: made while it is in use, checked, and loaded into another one.

A copy is one SQLite file with the schema of today, whichever database it is of: of SQLite the online backup, which
keeps every bit; of PostgreSQL its rows, read in one snapshot.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.engine import Connection as Engaged

from tracker.store import schema
from tracker.store.database import Database, DatabaseError, StorageFullError
from tracker.store.tables import estimates, metadata, snapshots
from tracker.store.types import RowId

Report = Callable[[float], None]
"""Called with the share done, 0 to 1."""

_PAGES = 512
_ROWS = 2_000
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def copy_online(database: Database, target: Path, migrations: Path, report: Report) -> None:
    """Copy a database into a new SQLite file while others use it.

    Raises
    ------
    StorageFullError
        When the copy does not fit.
    DatabaseError
        When the database cannot be read.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if database.path is not None:
        with _plain_errors(target):
            _copy_pages(database.path, target, report)
        return
    copy = Database(f"sqlite:///{target}")
    try:
        schema.migrate(copy, migrations)
        with database.read() as source, copy.write() as sink, guards_off(sink):
            load(source, sink, metadata.sorted_tables, report)
    finally:
        copy.close()
    settle(target)


def settle(path: Path) -> None:
    """Make a SQLite file stand by itself, without a write-ahead log, and bring it to the disk."""
    with _plain_errors(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    sync(path)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def fault(path: Path) -> str | None:
    """What is wrong with a SQLite file; None when it is whole."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                return str(found).splitlines()[-1]
            if row := connection.execute("PRAGMA foreign_key_check").fetchone():
                return f"a row of {row[0]} points to nothing"
    except sqlite3.Error as error:
        return str(error)
    return None


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def load(source: Connection, sink: Connection, tables: Iterable[Table], report: Report) -> None:
    """Copy the rows of tables, those that others point to first; a row that is there already stays."""
    wanted = list(tables)
    totals = [source.execute(select(func.count()).select_from(t)).scalar_one() for t in wanted]
    done, everything = 0, max(sum(totals), 1)
    for table in wanted:
        query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_ROWS)
        for part in source.execute(query).mappings().partitions():
            sink.execute(insert(table), [dict(row) for row in part])
            done += len(part)
            report(min(done / everything, 1.0))


def empty(connection: Connection, tables: Iterable[Table]) -> None:
    """Delete every row of tables, children first; the guards are off."""
    for table in reversed(list(tables)):
        connection.execute(table.delete())


def renumber(connection: Connection) -> None:
    """Let new rows be numbered after those that were loaded (PostgreSQL; SQLite does so by itself)."""
    if connection.dialect.name == "sqlite":
        return
    for table in metadata.sorted_tables:
        key = list(table.primary_key.columns)
        if len(key) == 1 and key[0].type is RowId and key[0].autoincrement is not False:
            newest = select(func.coalesce(func.max(key[0]), 0)).scalar_subquery()
            if table is snapshots:  # estimates name snapshots that are gone; their numbers must not come back
                named = select(func.coalesce(func.max(estimates.c.snapshot), 0)).scalar_subquery()
                newest = select(func.greatest(newest, named)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(table.name, key[0].name)
            connection.execute(select(func.setval(sequence, newest + 1, text("false"))))


def replace_all(source: Connection, sink: Connection) -> None:
    """Put the rows of one database in the place of another's, in the sink's transaction."""
    with guards_off(sink):
        if sink.dialect.name == "sqlite":
            empty(sink, metadata.sorted_tables)
        else:
            # New files at once: no page of the old ones stays.
            sink.exec_driver_sql("TRUNCATE " + ", ".join(t.name for t in metadata.sorted_tables))
        load(source, sink, metadata.sorted_tables, lambda _: None)
        renumber(sink)


@contextmanager
def guards_off(connection: Connection) -> Iterator[None]:
    """Take the triggers away for the rest of a transaction and put them back at its end: history is put in whole."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        triggers = connection.execute(text(_TRIGGERS)).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield
        for _, sql in triggers:
            connection.exec_driver_sql(sql)
        return
    for table in metadata.sorted_tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
    yield
    for table in metadata.sorted_tables:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")


@contextmanager
def alone_with(database: Database) -> Iterator[Engaged]:
    """Hold a database so that nobody else reads or writes it; read it through the connection that is given.

    Raises
    ------
    DatabaseError
        When another process has it open.
    """
    database.close()  # connections of our own that idle
    try:
        with _held_sqlite(database) if database.is_sqlite else _held_postgresql(database) as connection:
            yield connection
    finally:
        database.close()  # of a file that may have been replaced


@contextmanager
def _held_sqlite(database: Database) -> Iterator[Engaged]:
    with database.alone() as connection:
        connection.execute(text("PRAGMA busy_timeout = 500"))
        try:
            # Only who is alone may leave the write-ahead log: readers that idle count too.
            connection.execute(text("PRAGMA journal_mode = DELETE"))
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        except Exception:
            raise _in_use(database) from None
        try:
            yield connection
        finally:
            with suppress(Exception):
                connection.exec_driver_sql("ROLLBACK")


@contextmanager
def _held_postgresql(database: Database) -> Iterator[Engaged]:
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with database.write() as connection:
        if connection.execute(others).scalar_one():
            raise _in_use(database)
        yield connection


def _in_use(database: Database) -> DatabaseError:
    return DatabaseError(
        f"{database.describe()} is in use by another process; stop serve, jobs and every other command on it, "
        "then run this again"
    )


def _copy_pages(source: Path, target: Path, report: Report) -> None:
    with (
        closing(sqlite3.connect(source, timeout=30, isolation_level=None)) as here,
        closing(sqlite3.connect(target)) as there,
    ):
        # One snapshot for all pages: without it the copy begins anew whenever somebody writes.
        here.execute("BEGIN")
        here.execute("SELECT count(*) FROM sqlite_master").fetchone()
        here.backup(there, pages=_PAGES, progress=lambda _, left, total: report(1 - left / max(total, 1)))
        here.execute("COMMIT")
        there.execute("PRAGMA journal_mode = DELETE").fetchall()
    sync(target)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorname == "SQLITE_FULL":
            raise StorageFullError(
                f"the disk of {path} is full; nothing was written. Free some space and run the same command again"
            ) from None
        raise DatabaseError(f"{path} cannot be written: {error}") from None
