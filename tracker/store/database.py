"""The engine and its transactions, on SQLite and PostgreSQL alike.

A *write* is serialised against other writes (``BEGIN IMMEDIATE`` on SQLite; on PostgreSQL the gate locks
the participant's row). A *read* sees one snapshot and takes no lock.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Connection
from sqlalchemy import Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL, ExceptionContext, make_url

from tracker.store.reaching import reached


class DatabaseError(Exception):
    """The database is missing, of another version, locked, or cannot be written."""


class StatementError(Exception):
    """The database refused a statement: a fault of the program, told without the row's values."""


class StorageFullError(DatabaseError):
    """No space is left where the database lies; what was being written was rolled back."""


SYNCHRONOUS = "FULL"
"""When SQLite waits for the disk: what was committed is there after the power failed, withdrawals above all."""

_AT_ONCE = 20
"""Rows in one INSERT of SQLite: a trigger on the table costs a journal for each statement, however many rows it has."""

_ROOM = 64 * 1024
"""What SQLite needs at least beside the file itself, bytes."""

_FULL = ("database or disk is full", "no space left on device", "disk full", "could not extend file")


class Database:
    """One engine on one database.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://...``; the driver for PostgreSQL is pg8000.
    create
        Whether a missing SQLite file may be made.

    Raises
    ------
    DatabaseError
        When the URL cannot be used, or a SQLite file is missing and may not be made.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = _normalise(url)
        if self.is_sqlite:
            _check_file(Path(self.url.database or ""), create)
        try:
            self.engine = _engine(self.url)
        except (exc.NoSuchModuleError, ModuleNotFoundError):
            raise DatabaseError(
                f"there is no driver for {self.url.drivername}; write postgresql://... and install the driver "
                "with: pip install 'affect-tracker[postgres]'"
            ) from None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite (else it is PostgreSQL)."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back when an exception passes.

        Raises
        ------
        StorageFullError
            When the disk is full.
        DatabaseError
            When the database stays locked, cannot be reached, or all its connections stay taken.
        """
        with _plain_errors(self.url), self.engine.connect() as connection:
            if self.is_sqlite:
                connection = connection.execution_options(affect_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction on one snapshot."""
        with _plain_errors(self.url), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection outside any transaction, for VACUUM and checkpoints."""
        with _plain_errors(self.url), self.engine.connect() as connection:
            # The pool's ping has left a transaction open in the driver of PostgreSQL.
            connection.connection.rollback()
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def describe(self) -> str:
        """The URL without its password, for messages."""
        return self.url.render_as_string(hide_password=True)


def _normalise(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise DatabaseError(f"{url!r} is no database URL; write sqlite:///PATH or postgresql://...") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+pg8000")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseError(f"{parsed.drivername!r} is not supported; use sqlite or postgresql")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseError(f"{url!r} names no file, so nothing would be kept; write sqlite:///PATH")
    return parsed


def _check_file(path: Path, create: bool) -> None:
    if create:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DatabaseError(f"{path.parent} cannot be made: {error.strerror}") from error
        # The series lies in it in the clear: whoever makes the file alone may read it, whatever the umask.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    elif not path.is_file():
        raise DatabaseError(
            f"there is no database at {path}; make it with: affect-tracker init --db sqlite:///{path}"
        )


def _json(text: str | bytes) -> Any:
    """What a JSON column holds; None where that is no JSON any more, which whoever reads it has to notice."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        plain, tls = reached(url)
        engine = create_engine(plain, pool_pre_ping=True, hide_parameters=True, connect_args=tls)
        event.listen(engine, "handle_error", _drop_out_of_step)
        return engine
    engine = create_engine(
        url,
        json_deserializer=_json,  # PostgreSQL looks itself that a column of JSON holds some
        hide_parameters=True,  # an error's text ends in logs, and rows are about people
        connect_args={"timeout": 30, "check_same_thread": False},
        insertmanyvalues_page_size=_AT_ONCE,
    )
    engine.dialect.use_insertmanyvalues_wo_returning = True

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # Without this the driver opens transactions by itself, too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "foreign_keys = ON",
            "secure_delete = ON",
            f"synchronous = {SYNCHRONOUS}",
            "temp_store = MEMORY",  # sort spills would be plaintext copies in a temporary folder
            "cache_size = -65536",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(connection.get_execution_options().get("affect_begin", "BEGIN"))

    return engine


def _drop_out_of_step(trouble: ExceptionContext) -> None:
    """Close a connection whose driver broke off in the middle of a statement, rather than lend it again.

    The driver of PostgreSQL writes a statement in several messages. What it cannot encode (half a surrogate pair) it
    meets after the first of them, and raises no error of a database: on that connection each later question would get
    the answer to the one before, whoever asked it.
    """
    lent = trouble.connection is not None and not trouble.connection.closed
    if lent and trouble.sqlalchemy_exception is None and not trouble.is_disconnect:
        trouble.is_disconnect = True
        trouble.invalidate_pool_on_disconnect = False  # every other connection is in step


@contextmanager
def _plain_errors(url: URL) -> Iterator[None]:
    name = url.render_as_string(hide_password=True)
    try:
        yield
    except exc.TimeoutError as error:
        raise DatabaseError(f"{name} cannot be used: all its connections are taken") from error
    except ssl.SSLError as error:
        raise DatabaseError(f"{name} cannot be used: {error.reason or error}") from error
    except exc.DBAPIError as error:
        message = str(error.orig).lower()
        if _is_full(url, error.orig, message):
            raise StorageFullError(
                f"the disk of {name} is full; the last batch was rolled back, nothing is half-written. "
                "Free some space and run the same command again"
            ) from error
        if isinstance(error, exc.OperationalError | exc.InterfaceError) or "locked" in message:
            raise DatabaseError(f"{name} cannot be used: {error.orig}") from error
        if isinstance(error.orig, sqlite3.DatabaseError) and "not a database" in message:
            raise DatabaseError(f"{name} is not a SQLite database; give another --db") from error
        # PostgreSQL's own words name the row's values; they must not reach a log or a terminal.
        raise StatementError(f"{name} refused a statement: {_kind(error)}") from None


def _kind(error: exc.DBAPIError) -> str:
    told = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    if isinstance(told, dict):  # pg8000: C is the SQLSTATE, n the constraint, t the table
        own = told.get("M") if told.get("C") == "P0001" else None  # raised by one of our triggers
        parts = (told.get("C"), told.get("n") or told.get("t"), own)
        return " ".join(p for p in parts if p) or type(error).__name__
    return f"{type(error).__name__}: {told}"  # SQLite names the constraint, never a value


def _is_full(url: URL, error: object, message: str) -> bool:
    if any(sign in message for sign in _FULL) or getattr(error, "errno", None) == errno.ENOSPC:
        return True
    # SQLite calls it an I/O error when there is no room for the index of its write-ahead log.
    if url.get_backend_name() != "sqlite" or "disk i/o error" not in message or not url.database:
        return False
    return shutil.disk_usage(Path(url.database).parent).free < _ROOM


def ping(database: Database) -> None:
    """Run the smallest query; raise `DatabaseError` when the database does not answer."""
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
