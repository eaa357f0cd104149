"""The schema's version: migrate to the newest, and refuse a database that is older or newer than the code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from tracker.store.database import Database, DatabaseError


class Sealing(Protocol):
    """What migrations need of the keys, to seal what was stored in the clear before."""

    def evidence(self, participant: str, seq: int, sealed: bytes) -> str:
        """Open the evidence of a consent event as revision 0001 stored it."""

    def seal_evidence(self, participant: str, seq: int, evidence: str) -> bytes:
        """Seal it as revision 0001 stored it."""

    def seal(self, participant: str, seq: int, fields: Mapping[str, Any]) -> bytes:
        """Seal what a consent event says."""

    def open(self, participant: str, seq: int, sealed: bytes) -> dict[str, Any]:
        """Open it."""

    def subject(self, participant: str, sealed: bytes) -> str:
        """Open the link to the series."""

    def instant(self, text: str) -> datetime:
        """Read an instant as it stands in a consent event."""


class KeysNeededError(DatabaseError):
    """A migration has to seal what is stored, and was given no keys."""

    def __init__(self) -> None:
        super().__init__(
            "the database holds consent events that this migration has to seal; run it with the keys: "
            "affect-tracker init"
        )


def config(migrations: Path, database: Database | None = None, sealing: Sealing | None = None) -> Config:
    """Alembic's configuration, without a file: the migrations' folder, the engine to run them on, and the keys."""
    settings = Config()
    settings.set_main_option("script_location", str(migrations).replace("%", "%%"))
    if database is not None:
        settings.attributes["engine"] = database.engine
        settings.attributes["sealing"] = sealing
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


def migrate(
    database: Database, migrations: Path, revision: str = "head", *, sealing: Sealing | None = None
) -> None:
    """Bring the database to a revision.

    Raises
    ------
    DatabaseError
        When the database holds foreign tables, or was made by newer code.
    KeysNeededError
        When something has to be sealed and `sealing` is None.
    """
    require_ours(database, migrations)
    command.upgrade(config(migrations, database, sealing), revision)


def require_ours(database: Database, migrations: Path) -> None:
    """Raise `DatabaseError` unless the database is empty or was made by this program, and not by newer code."""
    here = current(database)
    if here is not None and here not in known(migrations):
        raise _too_new(database, here)
    if here is None:
        with database.read() as connection:
            if inspect(connection).get_table_names():
                raise DatabaseError(
                    f"{database.describe()} holds tables of another program; give an empty database"
                )


def check(database: Database, migrations: Path) -> None:
    """Raise `DatabaseError` unless the database has exactly this code's schema."""
    here = current(database)
    if here == newest(migrations):
        return
    if here is None:
        raise DatabaseError(f"{database.describe()} is empty; prepare it with: affect-tracker init")
    if here not in known(migrations):
        raise _too_new(database, here)
    raise DatabaseError(
        f"{database.describe()} has the older schema {here}; back it up, then run: affect-tracker init"
    )


def known(migrations: Path) -> set[str]:
    """The revisions that this code knows."""
    return {s.revision for s in ScriptDirectory.from_config(config(migrations)).walk_revisions()}


def _too_new(database: Database, here: str) -> DatabaseError:
    return DatabaseError(
        f"{database.describe()} has the schema {here}, which is newer than this program; "
        "update affect-tracker, or give another --db"
    )
