"""Open what a command works on: database, key store and master key, checked before anything is done."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import typer

from tracker import settings as settings_module
from tracker import shipped
from tracker.access import Access, open_access
from tracker.access.migrating import MigrationKeys
from tracker.privacy.keys import KeyUnavailableError, new_master_key, parse_master_key
from tracker.settings import Settings
from tracker.store import schema
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
        When the database cannot be made or belongs to newer code.
    KeyUnavailableError
        When the master key is damaged.
    """
    database = Database(settings.database_url, create=True)
    schema.require_ours(database, shipped.migrations())
    if not settings.master_key and not settings.master_key_path.exists():
        if settings.key_store_path.exists():
            raise KeyUnavailableError(
                f"{settings.master_key_path} is missing but {settings.key_store_path} needs it; "
                "bring the file back from where you keep it"
            )
        _write_private(settings.master_key_path, new_master_key() + "\n")
    KeyStore(settings.key_store_path, create=True).close()
    access = _remember(open_access(database, settings.key_store_path, _master(settings)))
    schema.migrate(database, shipped.migrations(), sealing=MigrationKeys(access.vault))
    consenting.publish(access, now())
    return access


def opened(settings: Settings) -> Access:
    """Open an installation that `initialise` made.

    Raises
    ------
    DatabaseError
        When the database or the key store is missing, or of another version than the code.
    KeyUnavailableError
        When the master key is missing or damaged.
    """
    database = Database(settings.database_url)
    schema.check(database, shipped.migrations())
    if not settings.key_store_path.is_file():
        raise DatabaseError(
            f"the key store {settings.key_store_path} is missing; without it nothing sealed can be opened. "
            "Bring it back from where you keep it, or set AFFECT_KEY_STORE"
        )
    return _remember(open_access(database, settings.key_store_path, _master(settings)))


def close_all() -> None:
    """Close what the command that ends has opened."""
    while _open:
        _open.pop().close()


def _remember(access: Access) -> Access:
    _open.append(access)
    return access


def _master(settings: Settings) -> bytes:
    if settings.master_key:
        return parse_master_key(settings.master_key)
    path = settings.master_key_path
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text()
    except OSError:
        raise KeyUnavailableError(
            f"the master key {path} is missing; bring it back, or set AFFECT_MASTER_KEY"
        ) from None
    except UnicodeDecodeError:
        raise KeyUnavailableError(
            f"{path} holds no master key: it is not text; bring the file back"
        ) from None
    if mode & 0o077:
        raise KeyUnavailableError(f"{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")
    return parse_master_key(text)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
