"""The key store: a SQLite file of wrapped keys, signed heads of the logs, and tombstones, apart from the series."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tracker.domain.keys import MasterRow, MasterState, WrappedKey
from tracker.store.compacting import compact
from tracker.store.database import Database, DatabaseError
from tracker.store.keytables import (
    backup_folders,
    bound_installation,
    chain_heads,
    kept_tombstones,
    masters,
    prepare,
    wrapped_keys,
)
from tracker.store.keytables import metadata as metadata

_SQLITE = b"SQLite format 3\0"
CONSENT = "consent"
"""The log whose head is meant where none is named."""

RewrapEvery = Callable[[str, str, WrappedKey], bytes]
"""Makes the new wrapping of a key: (owner, purpose, key) -> bytes."""


@dataclass(frozen=True, slots=True)
class KeptTombstone:
    """That somebody, or what one scope covered, was erased: kept with the keys, so that it outlives a restored backup.

    Attributes
    ----------
    id, subject_digest
        Keyed digests of the participant's (and scope's) and the subject's ids.
    scope
        The scope; None: the whole person.
    erased_at
        When (UTC).
    """

    id: str
    subject_digest: str
    scope: str | None
    erased_at: datetime


class KeyStore:
    """Wrapped keys by owner and purpose (see `tracker.privacy.keys.KeyRows`), and what must not share their fate.

    Parameters
    ----------
    path
        The SQLite file; made with mode 0600 when `create` is set. An older one is brought to this version.

    Raises
    ------
    DatabaseError
        When the file is missing, can be read by others, is no key store or one of newer code.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create and not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        _require_private(path)
        _require_sqlite(path)
        self._database = Database(f"sqlite:///{path}", create=create)
        prepare(self._database, create=create)

    # --- keys ---------------------------------------------------------------------------------------------------

    def of(self, owner: str, purpose: str) -> tuple[WrappedKey, ...]:
        """An owner's keys for a purpose, the one that seals first."""
        with self._database.read() as connection:
            return _keys(connection, owner, purpose)

    def of_everyone(self, purpose: str) -> dict[str, tuple[WrappedKey, ...]]:
        """The keys of every owner for a purpose, each as `of` has them."""
        query = (
            select(wrapped_keys)
            .where(wrapped_keys.c.purpose == purpose)
            .order_by(wrapped_keys.c.retiring, wrapped_keys.c.id)
        )
        found: dict[str, tuple[WrappedKey, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found[row.owner] = (*found.get(row.owner, ()), _key(row))
        return found

    def get(self, owner: str, purpose: str) -> bytes | None:
        """The wrapped key that seals for an owner and purpose, or None."""
        keys = self.of(owner, purpose)
        return keys[0].wrapped if keys else None

    def put(self, owner: str, purpose: str, key: WrappedKey) -> tuple[WrappedKey, ...] | None:
        """Keep a key unless another process was first; return those that are kept.

        None, and nothing is kept, when it is wrapped under a master key that another has replaced.
        """
        with self._database.write() as connection:
            if not _wraps(connection, key.master):
                return None
            if not any(not k.retiring for k in _keys(connection, owner, purpose)):
                _add(connection, owner, purpose, key)
            return _keys(connection, owner, purpose)

    def replace(self, owner: str, purpose: str, key: WrappedKey) -> bool:
        """Let a new key take the place of the one that seals, which from now on retires.

        False, and nothing is changed, when there is none (its owner was erased), when one retires already, or when
        the new one is wrapped under a master key that another has replaced.
        """
        with self._database.write() as connection:
            here = _keys(connection, owner, purpose)
            if len(here) != 1 or here[0].retiring or not _wraps(connection, key.master):
                return False
            connection.execute(
                update(wrapped_keys).where(wrapped_keys.c.id == here[0].id).values(retiring=True)
            )
            _add(connection, owner, purpose, key)
        return True

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Delete an owner's keys and make their bytes disappear from file and WAL; return how many there were."""
        statement = delete(wrapped_keys).where(wrapped_keys.c.owner == owner)
        if purpose is not None:
            statement = statement.where(wrapped_keys.c.purpose == purpose)
        with self._database.write() as connection:
            count = connection.execute(statement).rowcount
        if count:
            self.compact()
        return count

    def destroy_retiring(self, owner: str, purpose: str, ids: Sequence[str]) -> int:
        """Delete keys that retire; their bytes go with the next `compact`. Return how many there were."""
        statement = delete(wrapped_keys).where(
            wrapped_keys.c.owner == owner,
            wrapped_keys.c.purpose == purpose,
            wrapped_keys.c.retiring,
            wrapped_keys.c.id.in_(ids),
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    def owners(self, purpose: str) -> set[str]:
        """Who has a key for a purpose."""
        with self._database.read() as connection:
            query = select(wrapped_keys.c.owner).where(wrapped_keys.c.purpose == purpose)
            return set(connection.execute(query).scalars())

    def purposes(self, owner: str) -> set[str]:
        """For what an owner has keys."""
        with self._database.read() as connection:
            query = select(wrapped_keys.c.purpose).where(wrapped_keys.c.owner == owner)
            return set(connection.execute(query).scalars())

    def has(self, owner: str) -> bool:
        """Whether an owner has any key."""
        return bool(self.purposes(owner))

    # --- master keys --------------------------------------------------------------------------------------------

    def masters(self) -> tuple[MasterRow, ...]:
        """The master keys that open something here: one; while they rotate, two."""
        with self._database.read() as connection:
            return _masters(connection)

    def any_key(self) -> tuple[str, str, WrappedKey] | None:
        """Some key with its owner and purpose, to try a master key on; None where there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(wrapped_keys).limit(1)).one_or_none()
        return None if row is None else (row.owner, row.purpose, _key(row))

    def adopt(self, master: str) -> None:
        """Note, where no master key is noted yet, that this one wraps everything."""
        with self._database.write() as connection:
            if not _masters(connection):
                _note(connection, MasterRow(master, MasterState.CURRENT))
                connection.execute(update(wrapped_keys).values(master=master))

    def announce(self, incoming: MasterRow) -> None:
        """Note a master key that is to replace the current one; one that was announced before and never came goes."""
        with self._database.write() as connection:
            here = _masters(connection)
            if MasterState.FORMER not in {m.state for m in here} and incoming.id not in {m.id for m in here}:
                connection.execute(delete(masters).where(masters.c.state == MasterState.INCOMING.value))
                _note(connection, incoming)

    def rewrap(self, incoming: str, former: MasterRow, rewrapped: RewrapEvery) -> int:
        """Wrap every key anew under the incoming master key, in one transaction; return how many.

        Parameters
        ----------
        incoming
            Id of the master key that was announced; it is the current one from the commit on.
        former
            What is noted of the one before from then on.
        rewrapped
            Makes the new wrapping of a key.
        """
        with self._database.write() as connection:
            if incoming not in {m.id for m in _masters(connection) if m.state is MasterState.INCOMING}:
                return 0  # another process was first
            rows = connection.execute(select(wrapped_keys)).all()
            anew = [
                {"key": row.id, "anew": rewrapped(row.owner, row.purpose, _key(row)), "under": incoming}
                for row in rows
            ]
            statement = update(wrapped_keys).where(wrapped_keys.c.id == bindparam("key"))
            if anew:
                connection.execute(
                    statement.values(wrapped=bindparam("anew"), master=bindparam("under")), anew
                )
            connection.execute(delete(masters))
            _note(connection, MasterRow(incoming, MasterState.CURRENT))
            _note(connection, former)
        return len(rows)

    def forget_former(self) -> bool:
        """Forget the master key that was replaced: it opens nothing any more. False when there is none."""
        statement = delete(masters).where(masters.c.state == MasterState.FORMER.value)
        with self._database.write() as connection:
            gone = connection.execute(statement).rowcount > 0
        if gone:
            self.compact()
        return gone

    # --- heads, tombstones, whose store this is -----------------------------------------------------------------

    def head(self, log: str = CONSENT) -> tuple[int, str, bytes] | None:
        """The newest signed head of a log: (seq, hash, signature)."""
        query = select(chain_heads.c.seq, chain_heads.c.hash, chain_heads.c.signature)
        with self._database.read() as connection:
            row = connection.execute(query.where(chain_heads.c.log == log)).one_or_none()
        return None if row is None else (row.seq, row.hash, row.signature)

    def set_head(self, seq: int, head: str, signature: bytes, log: str = CONSENT) -> None:
        """Keep a newer head of a log; an older one than is kept changes nothing."""
        statement = upsert(chain_heads).values(log=log, seq=seq, hash=head, signature=signature)
        newer = {name: statement.excluded[name] for name in ("seq", "hash", "signature")}
        with self._database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["log"], set_=newer, where=chain_heads.c.seq < statement.excluded.seq
                )
            )

    def replace_head(self, seq: int, head: str, signature: bytes, log: str = CONSENT) -> None:
        """Keep a head of a log though it may be an older one: rows were lost, and a restore accounts for it."""
        values = {"seq": seq, "hash": head, "signature": signature}
        statement = upsert(chain_heads).values(log=log, **values)
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["log"], set_=values))

    def forget_head(self, log: str) -> None:
        """Forget the head of a log."""
        with self._database.write() as connection:
            connection.execute(delete(chain_heads).where(chain_heads.c.log == log))

    def keep_tombstone(self, id: str, subject_digest: str, scope: str | None, erased_at: datetime) -> None:
        """Keep a tombstone with the keys; of the same one again, only when it was is written anew."""
        statement = upsert(kept_tombstones).values(
            id=id, subject_digest=subject_digest, scope=scope, erased_at=erased_at
        )
        again = {"erased_at": statement.excluded.erased_at}
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))

    def tombstones_kept(self) -> list[KeptTombstone]:
        """All tombstones that are kept with the keys, oldest first."""
        query = select(kept_tombstones).order_by(kept_tombstones.c.erased_at, kept_tombstones.c.id)
        with self._database.read() as connection:
            return [
                KeptTombstone(row.id, row.subject_digest, row.scope, row.erased_at)
                for row in connection.execute(query)
            ]

    @property
    def installation(self) -> str:
        """The random id that this store and its database share."""
        with self._database.read() as connection:
            found: str = connection.execute(select(bound_installation.c.id)).scalar_one()
            return found

    # --- the file -----------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The file."""
        assert self._database.path is not None
        return self._database.path

    def compact(self) -> bool:
        """Truncate the WAL and rebuild the file; return whether no reader kept the old bytes alive."""
        return compact(self._database, ())

    def backup_folders(self) -> Mapping[str, int]:
        """The folders that this store is backed up to, and how many backups each may hold."""
        with self._database.read() as connection:
            query = select(backup_folders.c.folder, backup_folders.c.keep)
            return {row.folder: row.keep for row in connection.execute(query)}

    def note_backup_folder(self, folder: str, keep: int) -> None:
        """Note that backups lie in a folder, so that an erasure finds them."""
        statement = upsert(backup_folders).values(folder=folder, keep=keep)
        with self._database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["folder"], set_={"keep": keep})
            )

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def _require_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0
    if mode & 0o077:
        raise DatabaseError(
            f"the key store {path} can be read by others (mode {mode:o}); run: chmod 600 {path}"
        )


def _require_sqlite(path: Path) -> None:
    # Told here, in words about keys: a user who reads that a database is none looks at the wrong file.
    if path.is_file():
        with path.open("rb") as file:
            begins = file.read(len(_SQLITE))
        if begins not in (b"", _SQLITE):
            raise DatabaseError(
                f"the key store {path} is damaged, or another file: it is not a SQLite database. Bring back the newest "
                "copy, or set AFFECT_KEY_STORE"
            )


def _keys(connection: Connection, owner: str, purpose: str) -> tuple[WrappedKey, ...]:
    query = (
        select(wrapped_keys)
        .where(wrapped_keys.c.owner == owner, wrapped_keys.c.purpose == purpose)
        .order_by(wrapped_keys.c.retiring, wrapped_keys.c.id)
    )
    return tuple(_key(row) for row in connection.execute(query))


def _key(row: Any) -> WrappedKey:
    return WrappedKey(row.id, row.master, row.wrapped, row.retiring)


def _add(connection: Connection, owner: str, purpose: str, key: WrappedKey) -> None:
    connection.execute(
        insert(wrapped_keys).values(
            id=key.id, owner=owner, purpose=purpose, retiring=False, master=key.master, wrapped=key.wrapped
        )
    )


def _masters(connection: Connection) -> tuple[MasterRow, ...]:
    query = select(masters).order_by(masters.c.state)
    return tuple(MasterRow(row.id, MasterState(row.state), row.bridge) for row in connection.execute(query))


def _note(connection: Connection, row: MasterRow) -> None:
    connection.execute(insert(masters).values(id=row.id, state=row.state.value, bridge=row.bridge))


def _wraps(connection: Connection, master: str) -> bool:
    """Whether new keys may be wrapped under a master key: the current one; the first comer in a new store."""
    here = _masters(connection)
    if not here and connection.execute(select(wrapped_keys.c.id).limit(1)).one_or_none() is None:
        _note(connection, MasterRow(master, MasterState.CURRENT))
        return True
    return any(m.state is MasterState.CURRENT and m.id == master for m in here)
