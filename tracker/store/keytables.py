"""The key store's tables, and how an older key store becomes one of today.

The version stands in SQLite's ``user_version``. Version 1 (written as 0, before there was a number) knew one key for an
owner and purpose and one signed head; version 2 gives keys ids, so that they can be replaced while they are in use.
"""

from __future__ import annotations

import secrets

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    text,
)

from tracker.store.database import Database, DatabaseError
from tracker.store.types import Instant, RowId

VERSION = 2

metadata = MetaData()

wrapped_keys = Table(
    "wrapped_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", String(32), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("retiring", Boolean, nullable=False),
    Column("master", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("ix_wrapped_keys_owner_purpose", "owner", "purpose"),
    # One key seals; the others of the same purpose are on their way out.
    Index("uq_wrapped_keys_current", "owner", "purpose", unique=True, sqlite_where=text("NOT retiring")),
)

masters = Table(
    "masters",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("bridge", LargeBinary),
    Index("uq_masters_state", "state", unique=True),
)

chain_heads = Table(
    "chain_heads",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("seq", RowId, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

kept_tombstones = Table(
    "kept_tombstones",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject_digest", String(64), nullable=False),
    Column("scope", String(32)),
    Column("erased_at", Instant, nullable=False),
)

bound_installation = Table("bound_installation", metadata, Column("id", String(32), primary_key=True))

backup_folders = Table(
    "backup_folders",
    metadata,
    Column("folder", String, primary_key=True),
    Column("keep", Integer, nullable=False),
)


def prepare(database: Database, *, create: bool) -> None:
    """Bring a key store to this version, in one transaction.

    Raises
    ------
    DatabaseError
        When the file is no key store, or was made by newer code.
    """
    with database.read() as connection:
        if _version(connection) == VERSION:
            return
    with database.write() as connection:
        here = _version(connection)
        if here == VERSION:  # another process was first
            return
        if here > VERSION:
            raise DatabaseError(
                f"the key store {database.path} has version {here}, which is newer than this program; "
                "update affect-tracker, or set AFFECT_KEY_STORE"
            )
        names = set(inspect(connection).get_table_names())
        if names == {"wrapped_keys", "chain_heads"}:
            _from_version_1(connection)
        elif create and not names:
            metadata.create_all(connection)
            connection.execute(bound_installation.insert().values(id=secrets.token_hex(16)))
        else:
            raise DatabaseError(f"{database.path} is no key store of affect-tracker; set AFFECT_KEY_STORE")
        connection.execute(text(f"PRAGMA user_version = {VERSION}"))


def _version(connection: Connection) -> int:
    return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def _from_version_1(connection: Connection) -> None:
    keys = connection.execute(text("SELECT owner, purpose, wrapped FROM wrapped_keys")).all()
    head = connection.execute(
        text("SELECT seq, hash, signature FROM chain_heads ORDER BY seq DESC LIMIT 1")
    ).one_or_none()
    connection.execute(text("DROP TABLE wrapped_keys"))
    connection.execute(text("DROP TABLE chain_heads"))
    metadata.create_all(connection)
    connection.execute(bound_installation.insert().values(id=secrets.token_hex(16)))
    for row in keys:
        connection.execute(
            wrapped_keys.insert().values(
                id=secrets.token_hex(8),
                owner=row.owner,
                purpose=row.purpose,
                retiring=False,
                master="",
                wrapped=row.wrapped,
            )
        )
    if head is not None:
        connection.execute(
            chain_heads.insert().values(log="consent", seq=head.seq, hash=head.hash, signature=head.signature)
        )
