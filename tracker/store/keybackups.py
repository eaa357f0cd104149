"""Backups of the key store, with a short cycle of their own: whoever holds one holds every key that was in it.

A folder that was backed up to is noted in the key store. When keys are destroyed, the backups there are made anew, so
that none of them brings a destroyed key back; what lies elsewhere is out of reach. The key of what an erasure notes for
itself is never in one.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tracker.store.database import DatabaseError, StorageFullError
from tracker.store.keystore import KeyStore

NEVER_COPIED = ("erasing",)
"""Purposes whose keys are in no backup: with what an erasure notes for itself, it would name who was erased."""

_PARTIAL = ".partial"
_CHUNK = 1 << 20


class BackupError(DatabaseError):
    """A backup of the key store cannot be written, or is not whole."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of the backups when keys were destroyed.

    Attributes
    ----------
    folders
        Where the backups were made anew.
    out_of_reach
        Folders that cannot be reached now: what lies there may hold destroyed keys.
    """

    folders: tuple[str, ...]
    out_of_reach: tuple[str, ...]


def back_up(keys: KeyStore, folder: Path, keep: int, now: datetime) -> Path:
    """Write a backup, and remove all but the newest ones of this key store.

    Parameters
    ----------
    keys
        What to back up.
    folder
        Where to; noted in the key store, so that an erasure finds the backups.
    keep
        How many may lie there, this one counted.
    now
        For the file's name (UTC).

    Raises
    ------
    StorageFullError
        When the disk is full.
    BackupError
        When the folder cannot be written, or what was written is not whole; older backups are as they were.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = _write(keys, folder, now)
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "is full" in str(error):
            raise StorageFullError(
                f"no space is left in {folder}; no backup was made, the older ones are whole"
            ) from error
        raise BackupError(f"the key store cannot be backed up to {folder}: {error}") from error
    keys.note_backup_folder(str(folder.resolve()), keep)
    for path in _backups(keys, folder)[keep:]:
        overwrite(path)
    return made


def prune(keys: KeyStore, now: datetime) -> Pruned:
    """Make the backups in every noted folder anew, so that none holds a key that was destroyed since.

    One new backup takes the place of all; a folder that is missing or cannot be written is told.
    """
    renewed, out_of_reach = [], []
    for name in sorted(keys.backup_folders()):
        folder = Path(name)
        try:
            if not folder.is_dir():
                raise FileNotFoundError(name)
            made = _write(keys, folder, now)
            for path in _backups(keys, folder):
                if path != made:
                    overwrite(path)
        except (OSError, sqlite3.Error, BackupError):
            out_of_reach.append(name)
        else:
            renewed.append(name)
    return Pruned(tuple(renewed), tuple(out_of_reach))


def overwrite(path: Path) -> None:
    """Overwrite a file with zeros and remove it, as far as the file system lets that be done."""
    with path.open("r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(_CHUNK, left)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _write(keys: KeyStore, folder: Path, now: datetime) -> Path:
    stem = _stem(keys)
    for left in folder.glob(f"{stem}-*{_PARTIAL}"):  # of a run that was killed
        overwrite(left)
    made = folder / f"{stem}-{now:%Y%m%dT%H%M%S%fZ}.db"
    partial = made.with_name(made.name + _PARTIAL)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy(keys.path, partial)
        partial.replace(made)
    except BaseException:
        overwrite(partial)
        raise
    _sync(folder)
    return made


def _copy(origin: Path, target: Path) -> None:
    with _opened(f"file:{origin.as_posix()}?mode=ro") as source, _opened(target) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
        copy.execute("PRAGMA secure_delete = ON")
        copy.executemany("DELETE FROM wrapped_keys WHERE purpose = ?", [(name,) for name in NEVER_COPIED])
        copy.execute("VACUUM")
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise BackupError(f"the backup {target} is not whole: {verdict}")
    _sync(target)


@contextmanager
def _opened(where: Path | str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(where, uri=isinstance(where, str), timeout=30)) as connection:
        connection.isolation_level = None
        yield connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _backups(keys: KeyStore, folder: Path) -> list[Path]:
    """This key store's backups in a folder, the newest first."""
    return sorted(folder.glob(f"{_stem(keys)}-*.db"), reverse=True)


def _stem(keys: KeyStore) -> str:
    # Another installation's backups may lie in the same folder.
    return f"{keys.path.stem}-{keys.installation[:8]}"
