"""The key store: a SQLite file of wrapped keys and the consent log's signed head, apart from the series."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from tracker.store.compacting import compact
from tracker.store.database import Database
from tracker.store.types import RowId

metadata = MetaData()

wrapped_keys = Table(
    "wrapped_keys",
    metadata,
    Column("owner", String(32), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

chain_heads = Table(
    "chain_heads",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)


class KeyStore:
    """Wrapped keys by owner and purpose (see `tracker.privacy.keys.KeyRows`).

    Parameters
    ----------
    path
        The SQLite file; made with mode 0600 when `create` is set.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._database = Database(f"sqlite:///{path}", create=create)
        if create:
            metadata.create_all(self._database.engine)

    def get(self, owner: str, purpose: str) -> bytes | None:
        """Return the wrapped key, or None."""
        query = select(wrapped_keys.c.wrapped).where(
            wrapped_keys.c.owner == owner, wrapped_keys.c.purpose == purpose
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def put(self, owner: str, purpose: str, wrapped: bytes) -> bytes:
        """Keep a wrapped key unless another process was first; return the one that is kept."""
        with self._database.write() as connection:
            connection.execute(
                upsert(wrapped_keys)
                .values(owner=owner, purpose=purpose, wrapped=wrapped)
                .on_conflict_do_nothing()
            )
        kept = self.get(owner, purpose)
        assert kept is not None
        return kept

    def destroy(self, owner: str, purpose: str | None = None) -> int:
        """Delete an owner's keys and make their bytes disappear from file and WAL."""
        statement = delete(wrapped_keys).where(wrapped_keys.c.owner == owner)
        if purpose is not None:
            statement = statement.where(wrapped_keys.c.purpose == purpose)
        with self._database.write() as connection:
            count = connection.execute(statement).rowcount
        if count:
            self.compact()
        return count

    def owners(self, purpose: str) -> set[str]:
        """Who has a key for a purpose."""
        with self._database.read() as connection:
            query = select(wrapped_keys.c.owner).where(wrapped_keys.c.purpose == purpose)
            return set(connection.execute(query).scalars())

    def has(self, owner: str) -> bool:
        """Whether an owner has any key."""
        with self._database.read() as connection:
            query = select(wrapped_keys.c.purpose).where(wrapped_keys.c.owner == owner).limit(1)
            return connection.execute(query).one_or_none() is not None

    @property
    def path(self) -> Path:
        """The file."""
        assert self._database.path is not None
        return self._database.path

    def compact(self) -> bool:
        """Truncate the WAL and rebuild the file; return whether no reader kept the old bytes alive."""
        return compact(self._database, ())

    def head(self) -> tuple[int, str, bytes] | None:
        """The newest signed head of the consent log: (seq, hash, signature)."""
        with self._database.read() as connection:
            row = connection.execute(
                select(chain_heads).order_by(chain_heads.c.seq.desc()).limit(1)
            ).one_or_none()
        return None if row is None else (row.seq, row.hash, row.signature)

    def set_head(self, seq: int, head: str, signature: bytes) -> None:
        """Keep a newer head; an older one than is kept changes nothing."""
        with self._database.write() as connection:
            newest = connection.execute(select(func.max(chain_heads.c.seq))).scalar() or 0
            if seq > newest:
                connection.execute(delete(chain_heads))
                connection.execute(insert(chain_heads).values(seq=seq, hash=head, signature=signature))

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
