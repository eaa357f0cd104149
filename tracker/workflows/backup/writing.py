"""Write a backup of the database while it is in use: whole, checked, private, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tracker.access import Access
from tracker.store import chains, copies, schema
from tracker.store.copies import Report
from tracker.store.database import Database, StorageFullError
from tracker.workflows.backup import manifest
from tracker.workflows.backup.errors import BackupError
from tracker.workflows.backup.manifest import Manifest

PARTIAL = ".partial"
_FULL = 28  # ENOSPC


def backup(
    access: Access, target: Path, migrations: Path, now: datetime, report: Report = lambda _: None
) -> tuple[Path, Manifest]:
    """Back up the series into one file with a manifest beside it; return the file and what it holds.

    It holds the series on random subject ids, and what names somebody only sealed. The keys are not in it: they
    have a backup cycle of their own.

    Parameters
    ----------
    access
        The installation.
    target
        A file that is not there yet, or a folder, in which the file is named for the instant.
    migrations
        The folder of the migrations.
    now
        The instant (UTC).
    report
        Called with the share done.

    Raises
    ------
    BackupError
        When there is something at the target already, or nothing can be written there.
    StorageFullError
        When it does not fit; nothing is left of it.
    """
    path = _file(target, now)
    if path.exists() or manifest.beside(path).exists():
        raise BackupError(path, "there is something of this name already; give another name")
    partial = path.with_name(path.name + PARTIAL)
    note = manifest.beside(path).with_name(manifest.beside(path).name + PARTIAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _forget(partial, note)  # of a run that was killed
        access.sign_head()
        copies.copy_online(access.database, partial, migrations, report)
        found = _examined(access, partial, now)
        os.close(os.open(note, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        note.write_text(manifest.written(found, access.vault), "utf-8")
        copies.sync(note)
        note.replace(manifest.beside(path))
        partial.replace(path)  # last: a file of this name is whole, and its manifest is there
        copies.sync(path.parent)
    except OSError as error:
        _forget(partial, note)
        if error.errno == _FULL:
            raise StorageFullError(
                f"the disk of {path} is full; no backup was written. Free some space, or give another folder"
            ) from None
        raise BackupError(path, f"it cannot be written: {error.strerror}; give another folder") from None
    except BaseException:
        _forget(partial, note)
        raise
    return path, found


def _examined(access: Access, partial: Path, now: datetime) -> Manifest:
    """Look whether a copy is whole, and what it holds."""
    if problem := copies.fault(partial):
        raise BackupError(partial, f"the copy is damaged ({problem}); check the database and the disk")
    copy = Database(f"sqlite:///{partial}")
    try:
        revision = schema.current(copy)
        assert revision is not None, "the installation was opened, so its schema is known"
        with copy.read() as connection:
            rows, head = copies.counts(connection), chains.head(connection, chains.CONSENT)
    finally:
        copy.close()
    copies.settle(partial)
    sha256, size = manifest.digest(partial)
    kind = "sqlite" if access.database.is_sqlite else "postgresql"
    return Manifest(now, kind, revision, access.keys.installation, sha256, size, rows, head or (0, ""))


def _file(target: Path, now: datetime) -> Path:
    if target.is_dir() or str(target).endswith(os.sep):
        return target / f"affect-{now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.db"
    return target


def _forget(*paths: Path) -> None:
    for path in paths:
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                path.with_name(path.name + ending).unlink()
