"""The schema's version: migrate to the newest, and refuse a database that is older or newer than the code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from tracker.store.database import Database, DatabaseError


def config(migrations: Path, database: Database | None = None) -> Config:
    """Alembic's configuration, without a file: the migrations' folder, and the engine to run them on."""
    settings = Config()
    settings.set_main_option("script_location", str(migrations).replace("%", "%%"))
    if database is not None:
        settings.attributes["engine"] = database.engine
    return settings


def newest(migrations: Path) -> str:
    """The revision that this code is written for."""
    head = ScriptDirectory.from_config(config(migrations)).get_current_head()
    assert head is not None
    return head


def current(database: Database) -> str | None:
    """The revision of a database; None for an empty one."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, migrations: Path, revision: str = "head") -> None:
    """Bring the database to a revision.

    Raises
    ------
    DatabaseError
        When the database holds foreign tables, or was made by newer code.
    """
    known = _known(migrations)
    here = current(database)
    if here is not None and here not in known:
        raise _too_new(database, here)
    if here is None:
        with database.read() as connection:
            if inspect(connection).get_table_names():
                raise DatabaseError(
                    f"{database.describe()} holds tables of another program; give an empty database"
                )
    command.upgrade(config(migrations, database), revision)


def check(database: Database, migrations: Path) -> None:
    """Raise `DatabaseError` unless the database has exactly this code's schema."""
    here = current(database)
    if here == newest(migrations):
        return
    if here is None:
        raise DatabaseError(f"{database.describe()} is empty; prepare it with: affect-tracker init")
    if here not in _known(migrations):
        raise _too_new(database, here)
    raise DatabaseError(
        f"{database.describe()} has the older schema {here}; back it up, then run: affect-tracker init"
    )


def _known(migrations: Path) -> set[str]:
    return {s.revision for s in ScriptDirectory.from_config(config(migrations)).walk_revisions()}


def _too_new(database: Database, here: str) -> DatabaseError:
    return DatabaseError(
        f"{database.describe()} has the schema {here}, which is newer than this program; "
        "update affect-tracker, or give another --db"
    )
