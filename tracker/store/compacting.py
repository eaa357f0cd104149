"""Make deleted bytes disappear from the database's files, and look whether they have."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, exc, text

from tracker.store import relations
from tracker.store.database import Database

TRIES = 3
"""How often a checkpoint is tried that other processes' readers are in the way of."""

OWN_ENDINGS = ("", "-wal", "-shm", "-journal")
SUPER_JOURNAL = "-mj"
RESTORING = ".restoring"
"""How the files of a restore that is on its way end."""

_CHUNK = 1 << 20
_NOT_ALLOWED, _LOCKED = "42501", "55P03"
_OLDER_SNAPSHOTS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL
  AND age(backend_xmin) > age(CAST(:mark AS xid))
"""


def compact(database: Database, tables: Iterable[str], *, patience_s: float = 10.0) -> bool:
    """Rebuild what held deleted rows, so that no page of the files keeps their bytes.

    SQLite: ``VACUUM``, then a checkpoint that truncates the write-ahead log. PostgreSQL: ``VACUUM FULL``
    of the tables and a ``CHECKPOINT`` where the role may order one; its write-ahead log is recycled by the
    server in its own time.

    Parameters
    ----------
    database
        What to rebuild; no transaction of the caller may be open on it.
    tables
        Which tables held the rows (PostgreSQL).
    patience_s
        How long each try waits for those who still read the old rows.

    Returns
    -------
    bool
        False when somebody kept reading an older state, so that the old bytes had to stay: try again.
    """
    compact_here = _compact_sqlite if database.is_sqlite else _compact_postgresql
    return compact_here(database, tuple(tables), patience_s)


def checkpoint(database: Database, *, patience_s: float = 10.0) -> bool:
    """Bring deletions from the write-ahead log into the file and truncate the log (SQLite); True when done.

    Deleted cells are overwritten with zeros by `secure_delete`, so this is enough between erasures.
    """
    if not database.is_sqlite:
        return True
    with database.alone() as connection:
        return _truncate(connection, patience_s)


def traces(files: Iterable[Path], needles: Sequence[bytes]) -> list[str]:
    """Name the files that hold any of the needles' bytes."""
    return [path.name for path in files if path.is_file() and found_in(path, needles)]


def found_in(path: Path, needles: Sequence[bytes]) -> set[bytes]:
    """Which of the needles lie in a file."""
    left, found = set(needles), set[bytes]()
    overlap = max(map(len, needles)) - 1
    tail = b""
    with path.open("rb") as file:
        while left and (chunk := file.read(_CHUNK)):
            window = tail + chunk
            here = {needle for needle in left if needle in window}
            found |= here
            left -= here
            tail = window[-overlap:] if overlap else b""
    return found


def files_of(path: Path) -> tuple[Path, ...]:
    """A SQLite database's files: itself, write-ahead log, shared memory, and rollback journal."""
    return tuple(path.with_name(path.name + end) for end in OWN_ENDINGS)


def files_beside(path: Path) -> tuple[list[Path], list[Path]]:
    """The files whose names begin with a database's: those that SQLite or this program made, and all others."""
    named = sorted(
        file for file in path.parent.iterdir() if file.name.startswith(path.name) and file.is_file()
    )
    ours = [file for file in named if _is_ours(file.name.removeprefix(path.name))]
    return ours, [file for file in named if file not in ours]


def _is_ours(ending: str) -> bool:
    return ending in OWN_ENDINGS or ending.startswith((SUPER_JOURNAL, RESTORING))


def _compact_sqlite(database: Database, _: Sequence[str], patience_s: float) -> bool:
    with database.alone() as connection:
        connection.execute(text("VACUUM"))
        return any(_truncate(connection, patience_s) for _ in range(TRIES))


def _truncate(connection: Connection, patience_s: float) -> bool:
    # The busy handler waits for the readers; the connection's own patience comes back afterwards.
    before = connection.execute(text("PRAGMA busy_timeout")).scalar_one()
    connection.execute(text(f"PRAGMA busy_timeout = {round(patience_s * 1000)}"))
    try:
        return int(connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]) == 0
    finally:
        connection.execute(text(f"PRAGMA busy_timeout = {before}"))


def _compact_postgresql(database: Database, tables: Sequence[str], patience_s: float) -> bool:
    with database.alone() as connection:
        if not _alone_with_the_present(connection, patience_s):
            return False
        # A VACUUM FULL that waits for its lock holds up everybody behind it.
        connection.execute(text(f"SET lock_timeout = {round(patience_s * 1000)}"))
        try:
            quote = connection.dialect.identifier_preparer.quote
            connection.execute(text(f"VACUUM FULL {', '.join(map(quote, tables))}"))
        except exc.DBAPIError as error:
            if _code(error) == _LOCKED:
                return False
            raise
        finally:
            connection.execute(text("RESET lock_timeout"))
        relations.forget_statistics(connection, tables)
        try:
            connection.execute(text("CHECKPOINT"))
        except exc.DBAPIError as error:
            if _code(error) != _NOT_ALLOWED:
                raise
    return True


def _alone_with_the_present(connection: Connection, patience_s: float) -> bool:
    """Wait until nobody reads a state from before now: VACUUM FULL copies what they could still see."""
    mark = connection.execute(text("SELECT txid_current() % 4294967296")).scalar_one()
    for wait in (0.05, *(patience_s / 20,) * 20):
        if connection.execute(text(_OLDER_SNAPSHOTS), {"mark": str(mark)}).scalar_one() == 0:
            return True
        time.sleep(wait)
    return False


def _code(error: exc.DBAPIError) -> str:
    with suppress(IndexError, TypeError, AttributeError, KeyError):
        return str(error.orig.args[0]["C"])  # type: ignore[union-attr]
    return ""
