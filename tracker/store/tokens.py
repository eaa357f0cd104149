"""Queries about tokens: found by digest alone, listed and revoked by their person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from tracker.store.factors import Owner
from tracker.store.tables import tokens


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as stored: its name sealed, itself a digest."""

    id: str
    digest: str
    name_sealed: bytes
    study: str
    purposes: Sequence[str]
    session_version: int
    created_at: datetime
    expires_at: datetime
    used_on: datetime | None


_TOKEN = (
    tokens.c.id,
    tokens.c.digest,
    tokens.c.name_sealed,
    tokens.c.study,
    tokens.c.purposes,
    tokens.c.session_version,
    tokens.c.created_at,
    tokens.c.expires_at,
    tokens.c.used_on,
)


def add(connection: Connection, owner: Owner, row: TokenRow) -> None:
    """Keep a token."""
    values = {column.name: getattr(row, column.name) for column in _TOKEN}
    connection.execute(insert(tokens).values(values | {"purposes": list(row.purposes)} | owner.columns()))


def of(connection: Connection, owner: Owner) -> list[TokenRow]:
    """Somebody's tokens, oldest first."""
    query = select(*_TOKEN).where(owner.owns(tokens)).order_by(tokens.c.created_at, tokens.c.id)
    return [TokenRow(*row) for row in connection.execute(query)]


def count(connection: Connection, owner: Owner, now: datetime) -> int:
    """How many tokens of somebody's work still."""
    query = select(func.count()).where(owner.owns(tokens), tokens.c.expires_at > now)
    return connection.execute(query).scalar_one()


def by_digest(connection: Connection, digest: str) -> tuple[Owner, TokenRow] | None:
    """Find a token, and whose it is."""
    query = select(tokens.c.participant, tokens.c.member, *_TOKEN).where(tokens.c.digest == digest)
    row = connection.execute(query).one_or_none()
    return None if row is None else (Owner(*row[:2]), TokenRow(*row[2:]))


def note_use(connection: Connection, owner: Owner, number: str, day: datetime) -> None:
    """Note the day on which a token was used."""
    mine = owner.owns(tokens) & (tokens.c.id == number)
    connection.execute(update(tokens).where(mine).values(used_on=day))


def remove(connection: Connection, owner: Owner, number: str) -> bool:
    """Delete a token of somebody's; return whether there was one."""
    statement = delete(tokens).where(owner.owns(tokens), tokens.c.id == number)
    return connection.execute(statement).rowcount > 0


def forget(connection: Connection, now: datetime) -> int:
    """Delete tokens that do not work any more; return how many."""
    return connection.execute(delete(tokens).where(tokens.c.expires_at <= now)).rowcount
