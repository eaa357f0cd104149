"""Look into the files of a PostgreSQL database, where its role may read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from tracker.store.database import Database

_CHUNK = 16 << 20
_MAY_READ = (
    "SELECT pg_has_role(current_user, 'pg_read_server_files', 'USAGE') "
    "AND has_function_privilege('pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE') "
    "AND has_function_privilege('pg_stat_file(text, boolean)', 'EXECUTE')"
)
_FILES = (
    "SELECT c.relname, pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE pg_relation_filepath(c.oid) IS NOT NULL "
    "AND (n.nspname NOT IN ('pg_catalog', 'information_schema') OR c.relname = 'pg_statistic') ORDER BY 1"
)
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_FORGET = "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relname = ANY(:tables))"


def may_look(connection: Connection) -> bool:
    """Whether the role may read the server's files."""
    return connection.execute(text(_MAY_READ)).scalar_one() is True


def traces(database: Database, needles: Sequence[bytes]) -> dict[bytes, list[str]]:
    """Which needles lie in which tables' and indexes' files; the caller has asked `may_look`.

    What the server keeps in its write-ahead log is not looked at: it recycles that in its own time.
    """
    found: dict[bytes, list[str]] = {}
    overlap = max(map(len, needles)) - 1
    with database.alone() as connection:
        for name, path in connection.execute(text(_FILES)).all():
            for needle in _in_relation(connection, path, needles, overlap):
                found.setdefault(needle, []).append(name)
    return found


def forget_statistics(connection: Connection, tables: Iterable[str]) -> None:
    """Make the planner forget what it noted of tables: the commonest values of each column, in the clear.

    `ANALYZE` notes anew what is in a table, but leaves what it had noted of one that has become empty; deleting that
    is allowed to a superuser alone.
    """
    names = sorted(tables)
    superuser = connection.execute(text(_SUPERUSER)).scalar_one() is True
    if superuser:
        connection.execute(text(_FORGET), {"tables": names})
    connection.execute(text(f"ANALYZE {', '.join(map(connection.dialect.identifier_preparer.quote, names))}"))
    if superuser:
        connection.execute(text("VACUUM FULL pg_catalog.pg_statistic"))


def _in_relation(connection: Connection, path: str, needles: Sequence[bytes], overlap: int) -> set[bytes]:
    found: set[bytes] = set()
    segment = 0
    while True:
        name = path if segment == 0 else f"{path}.{segment}"
        size = connection.execute(
            text("SELECT (pg_stat_file(:path, true)).size"), {"path": name}
        ).scalar_one()
        if size is None:
            return found
        for start in range(0, size, _CHUNK):
            found |= _in_chunk(connection, name, start, needles, overlap)
        segment += 1


def _in_chunk(
    connection: Connection, path: str, start: int, needles: Sequence[bytes], overlap: int
) -> set[bytes]:
    columns = ", ".join(f"position(CAST(:n{i} AS bytea) IN bytes) > 0" for i in range(len(needles)))
    query = text(
        "WITH chunk AS MATERIALIZED (SELECT pg_read_binary_file(:path, :start, :length, true) AS bytes) "
        f"SELECT {columns} FROM chunk"
    )
    values = {f"n{i}": needle for i, needle in enumerate(needles)}
    where = {"path": path, "start": start, "length": _CHUNK + overlap}
    row = connection.execute(query, {**where, **values}).one()
    return {needle for needle, holds in zip(needles, row, strict=True) if holds}
