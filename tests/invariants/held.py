"""Everything that an installation holds: its rows as they are, and its bytes where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, select, text

from tracker.access import Access
from tracker.store import compacting, tables

Rows = dict[str, list[tuple[object, ...]]]


def rows(access: Access, *without: str) -> Rows:
    """Every row of every table as the database has it now, read from its own catalogue, without some columns."""
    found = MetaData()
    with access.database.read() as connection:
        found.reflect(connection)
        return {
            name: sorted((tuple(map(_plain, row)) for row in connection.execute(select(*columns))), key=repr)
            for name, table in found.tables.items()
            if (columns := [c for c in table.columns if f"{name}.{c.name}" not in without])
            and not name.startswith("alembic")
        }


def count(access: Access, table: str) -> int:
    """How many rows a table has."""
    with access.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def counts(access: Access) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: count(access, table.name) for table in tables.metadata.sorted_tables}


def naming(held: Rows, *needles: str) -> dict[str, int]:
    """In which tables any cell holds any of the needles, and in how many rows."""
    found = {name: sum(any(n in repr(row) for n in needles) for row in some) for name, some in held.items()}
    return {name: n for name, n in found.items() if n}


def key_store_bytes(access: Access) -> dict[str, bytes]:
    """The key store's files."""
    return _read(compacting.files_of(access.keys.path))


def database_bytes(access: Access) -> dict[str, bytes]:
    """The database's own files: of SQLite all four; of PostgreSQL those of every relation of the database."""
    if access.database.path is not None:
        return _read(compacting.files_of(access.database.path))
    query = text(
        "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
        "WHERE relkind IN ('r', 'i', 't', 'S', 'm') AND pg_relation_filepath(oid) IS NOT NULL"
    )
    with access.database.alone() as connection:
        connection.execute(text("CHECKPOINT"))
        return {name: bytes(held) for name, held in connection.execute(query)}


def _read(paths: Iterable[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _plain(value: Any) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
