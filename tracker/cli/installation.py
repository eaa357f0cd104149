"""Open what a command works on: database, key store and master key, checked before anything is done."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import typer

from tracker import settings as settings_module
from tracker import shipped
from tracker.access import Access, matching, open_access, placing
from tracker.access.migrating import MigrationKeys
from tracker.cli import master_key
from tracker.privacy.keys import KeyUnavailableError, Vault
from tracker.settings import Settings
from tracker.store import binding, schema
from tracker.store.database import Database, DatabaseError
from tracker.store.keystore import KeyStore
from tracker.workflows import consenting

_open: list[Access] = []

UNUSABLE = (DatabaseError, KeyUnavailableError)
"""What an installation that cannot be opened raises."""


def now() -> datetime:
    """The wall clock; commands read it here and hand it down."""
    return datetime.now(UTC)


def settings_of(context: typer.Context) -> Settings:
    """Settings from the environment, with the command line's ``--db`` on top."""
    loaded = settings_module.load(os.environ)
    url = (context.find_root().obj or {}).get("db")
    return loaded.with_database(url) if url else loaded


def initialise(settings: Settings) -> Access:
    """Make or migrate everything an installation needs; what is there already stays.

    Raises
    ------
    DatabaseError
        When the database cannot be made or belongs to newer code, or its key store is gone: another would open nothing.
    KeyUnavailableError
        When the master key is damaged.
    """
    database = Database(settings.database_url, create=True)
    schema.require_ours(database, shipped.migrations())
    with database.read() as connection:
        if binding.was_bound(connection):
            _require_key_store(settings)
    source = master_key.source(settings)
    if not (settings.master_key or settings.master_key_command or settings.master_key_path.exists()):
        if settings.key_store_path.exists():
            raise KeyUnavailableError(
                f"{settings.master_key_path} is missing but {settings.key_store_path} needs it; "
                "bring the file back from where you keep it"
            )
        master_key.make(settings.master_key_path)
    key = source()
    KeyStore(settings.key_store_path, create=True).close()
    access = _remember(open_access(database, settings.key_store_path, key, source))
    access.vault.masters.settle()
    schema.migrate(database, shipped.migrations(), sealing=MigrationKeys(access.vault))
    matching.bind(access)
    consenting.publish(access, now())
    return access


def opened(settings: Settings, *, unmatched: bool = False) -> Access:
    """Open an installation that `initialise` made.

    Parameters
    ----------
    settings
        Where it is.
    unmatched
        Open it although database and key store are of different ages; for commands that mend this.

    Raises
    ------
    DatabaseError
        When the database or the key store is missing, of another version than the code, or of another installation.
    KeyUnavailableError
        When the master key is missing, damaged or another, or the key store is older than the database.
    """
    database = Database(settings.database_url)
    schema.check(database, shipped.migrations())
    _require_key_store(settings)
    source = master_key.source(settings)
    access = _remember(open_access(database, settings.key_store_path, source(), source))
    access.vault.masters.settle()
    matching.require_same_installation(access)
    # Where a restore was killed, only the ends of the logs are left to do.
    with access.database.read() as connection:
        placing.settle(connection, access.vault, access.keys)
    if not unmatched:
        matching.require_same_age(access)
    return access


def keys_of(settings: Settings) -> tuple[Vault, KeyStore]:
    """Open the keys alone, where there may be no database (any more).

    Raises
    ------
    DatabaseError
        When the key store is missing.
    KeyUnavailableError
        When the master key is missing, damaged or another.
    """
    _require_key_store(settings)
    source = master_key.source(settings)
    keys = KeyStore(settings.key_store_path)
    vault = Vault(source(), keys, source)
    vault.masters.settle()
    return vault, keys


def close_all() -> None:
    """Close what the command that ends has opened."""
    while _open:
        _open.pop().close()


def _require_key_store(settings: Settings) -> None:
    if not settings.key_store_path.is_file():
        raise DatabaseError(
            f"the key store {settings.key_store_path} is missing; without it nothing sealed can be opened. "
            "Bring it back from where you keep it, or set AFFECT_KEY_STORE"
        )


def _remember(access: Access) -> Access:
    _open.append(access)
    return access
