"""Bring a backup back: built beside the database, checked there, and put in its place only when all is done.

The series becomes the backup's. Who takes part and what they allow stays what it is today; where today's database is
lost, every grant ends, because nobody can tell who has withdrawn since. Whoever was erased since is erased again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.access import Access, older, placing
from tracker.access.gate import NAMES
from tracker.access.migrating import MigrationKeys
from tracker.privacy.keys import Vault
from tracker.store import binding, compacting, copies, people, schema, tables, tombstones
from tracker.store.copies import Report
from tracker.store.database import Connection, Database, DatabaseError, StorageFullError
from tracker.store.keystore import KeyStore
from tracker.store.tombstones import Tombstone
from tracker.workflows.backup import manifest, merging
from tracker.workflows.backup.errors import BackupError, RestoreRefusedError
from tracker.workflows.backup.manifest import Manifest

Replay = Callable[[Access, Mapping[str, Tombstone], datetime], int]
"""Erases again what was erased since a backup: (staged, its own tombstones by id, now) -> rows."""

_ASIDE = "-aside"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup.

    Attributes
    ----------
    made_at
        When it was made.
    rows
        By table, as they stand now.
    erased
        How many of its rows belonged to somebody, or to something, that was erased since.
    lost
        Rows of the consent log that are lost with the database that was not there; None where none are.
    ended
        How many grants ended for that.
    problem
        What the audit of the logs says afterwards; None when all is well.
    """

    made_at: datetime
    rows: dict[str, int]
    erased: int
    lost: tuple[int, int] | None
    ended: int
    problem: str | None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "made_at": self.made_at.isoformat(),
            "rows": self.rows,
            "erased_again": self.erased,
            "consent_rows_lost": list(self.lost) if self.lost is not None else None,
            "grants_ended": self.ended,
            "problem": self.problem,
        }

    def sentences(self) -> list[str]:
        """For a person to read."""
        lines = [
            f"{self.erased} {'row was' if self.erased == 1 else 'rows were'} erased again: of what was erased since."
            if self.erased
            else "Nothing in it was erased since."
        ]
        if self.lost is not None:
            first, last = self.lost
            lines.append(
                f"Rows {first} to {last} of the consent log were lost with the database, so a withdrawal may be: "
                f"{self.ended} grants ended, and everybody is asked again."
            )
        else:
            lines.append("Who takes part, and what they allow, is as it was before the restore.")
        lines.append(self.problem or "The logs are whole: chains, commitments and signed heads agree.")
        return lines


def restore(
    backup: Path,
    database: Database,
    vault: Vault,
    keys: KeyStore,
    migrations: Path,
    now: datetime,
    *,
    replay: Replay,
    report: Report = lambda _: None,
) -> Restored:
    """Put a backup in the place of a database, which nobody else may be using.

    Parameters
    ----------
    backup
        The file; its manifest lies beside it.
    database
        Where it goes: empty, missing, damaged, or the present one of the same installation.
    vault, keys
        The keys of the installation, which must be today's.
    migrations
        The folder of the migrations.
    now
        The instant (UTC).
    replay
        Erases again what was erased since.
    report
        Called with the share done.

    Raises
    ------
    BackupError
        When the backup is damaged, forged or another installation's.
    RestoreRefusedError, DatabaseError
        When the database is in use, newer than this program, or another installation's. Nothing was changed.
    """
    made = manifest.read(backup, vault)
    if made.installation != keys.installation:
        raise BackupError(
            backup, "it belongs to another key store; set AFFECT_KEY_STORE to the one that it had"
        )
    if made.schema not in schema.known(migrations):
        raise BackupError(
            backup,
            f"it has the schema {made.schema}, which is newer than this program; update affect-tracker",
        )
    staging = _staging(database, keys)
    _clear(staging)
    try:
        with _present(database, keys, migrations) as present:
            if present is not None:  # one that a restore has put there, which was killed then
                placing.settle(present, vault, keys)
                _refuse_older(database, keys, present)
            _copy(backup, staging, made, report)
            staged = Access(Database(f"sqlite:///{staging}"), vault, keys)
            try:
                lost, ended, erased = _mend(staged, present, made, migrations, now, replay)
                report(0.8)
                with staged.database.read() as connection:
                    rows = copies.counts(connection)
                    if present is None:
                        placing.intend(connection, vault, keys)
            finally:
                staged.database.close()
            copies.settle(staging)
            _put(staging, database, present, migrations)
    finally:
        _clear(staging)
    access = Access(database, vault, keys)
    with database.read() as connection:
        placing.settle(connection, vault, keys)
    access.sign_head()
    if not database.is_sqlite:
        compacting.compact(database, [t.name for t in tables.metadata.sorted_tables])
    report(1.0)
    return Restored(made.made_at, rows, erased, lost, ended, access.audit())


def _mend(
    staged: Access,
    present: Connection | None,
    made: Manifest,
    migrations: Path,
    now: datetime,
    replay: Replay,
) -> tuple[tuple[int, int] | None, int, int]:
    """Bring the staged backup to today: (consent rows lost, grants ended, rows erased again)."""
    schema.migrate(staged.database, migrations, sealing=MigrationKeys(staged.vault))
    with staged.database.read() as connection:
        then = {stone.id: stone for stone in tombstones.every(connection)}
    lost, ended = None, 0
    if present is not None:
        merging.take_over(staged, present)
    else:
        lost = merging.lost_events(staged)
    erased = replay(staged, then, now)
    _rename(staged)
    if lost is not None:
        ended = merging.end_every_grant(staged, made, lost, now)
    merging.rebase(staged, now)
    return lost, ended, erased


def _rename(staged: Access) -> None:
    """Digest the names anew: the key of the digests is renewed with each erasure."""
    for person in staged.everyone():
        with staged.database.write() as connection:
            people.set_digest(connection, person.id, staged.vault.digest(NAMES, person.name))


@contextmanager
def _present(database: Database, keys: KeyStore, migrations: Path) -> Iterator[Connection | None]:
    """Hold the database that is there; None where there is none, or none that can be read."""
    if database.path is not None and not _readable(database.path):
        yield None
        return
    here = schema.current(database)
    if here is None:
        schema.require_ours(database, migrations)
        yield None
        return
    schema.check(database, migrations)
    with copies.alone_with(database) as connection:
        if binding.of(connection) not in (None, keys.installation):
            raise RestoreRefusedError(
                f"{database.describe()} belongs to another key store; set AFFECT_KEY_STORE, or give another --db. "
                "Nothing was changed"
            )
        yield connection


def _refuse_older(database: Database, keys: KeyStore, present: Connection) -> None:
    """Who takes part, and what they allow, is taken from no database that lacks what was signed since."""
    if (fault := older.logs_fault(present, older.heads_of(keys))) is not None:
        raise RestoreRefusedError(
            f"{database.describe()} is older than the key store: {fault}. Move it away, or give another --db, and run "
            "this again; nothing was changed"
        )


def _readable(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0 and copies.fault(path) is None


def _staging(database: Database, keys: KeyStore) -> Path:
    beside = database.path if database.path is not None else keys.path
    return beside.with_name(beside.name + compacting.RESTORING)


def _copy(backup: Path, staging: Path, made: Manifest, report: Report) -> None:
    try:
        os.close(os.open(staging, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        shutil.copyfile(backup, staging)
        report(0.2)
    except OSError as error:
        if error.errno == 28:  # ENOSPC
            raise StorageFullError(
                f"the disk of {staging} is full; nothing was changed. Free some space and run this again"
            ) from None
        raise DatabaseError(f"{staging} cannot be written: {error.strerror}; nothing was changed") from None
    if manifest.digest(staging) != (made.sha256, made.size):
        raise BackupError(
            backup, "it is not what its manifest says: it was damaged or altered; take another one"
        )
    if problem := copies.fault(staging):
        raise BackupError(backup, f"it is damaged: {problem}; take another one")


def _put(staging: Path, database: Database, present: Connection | None, migrations: Path) -> None:
    if database.path is None:
        _load(staging, database, present, migrations)
        return
    path = database.path
    aside = staging.with_name(staging.name + _ASIDE)
    if path.exists():
        os.link(path, aside)
    elif not path.parent.exists():
        path.parent.mkdir(parents=True)
    if present is None:  # of a file that could not be read
        for ending in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    # Whoever has waited for the file that was there cannot write to it: SQLite notices that it was moved.
    staging.replace(path)
    copies.sync(path.parent)


def _load(staging: Path, database: Database, present: Connection | None, migrations: Path) -> None:
    source = Database(f"sqlite:///{staging}")
    try:
        if present is None:
            schema.migrate(database, migrations)
            with copies.alone_with(database) as connection, source.read() as rows:
                copies.replace_all(rows, connection)
        else:
            with source.read() as rows:
                copies.replace_all(rows, present)
    finally:
        source.close()


def _clear(staging: Path) -> None:
    """Remove what a restore that was killed has left."""
    for name in (staging.name, staging.name + _ASIDE):
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                staging.with_name(name + ending).unlink()
