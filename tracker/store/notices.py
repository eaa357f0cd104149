"""Queries about notices: the exact texts that people were asked to agree to, kept as long as the installation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from tracker.domain.consent import Notice
from tracker.store.rows import upsert
from tracker.store.tables import notices


def publish(connection: Connection, notice: Notice, document: Mapping[str, Any], now: datetime) -> None:
    """Let a text stand; one that was retired before stands again."""
    statement = upsert(connection, notices).values(
        sha256=notice.sha256,
        version=notice.version,
        language=notice.language,
        document=dict(document),
        published_at=now,
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_={"retired_at": None}))


def retire_all_but(connection: Connection, standing: frozenset[str], now: datetime) -> int:
    """Retire every other text: whoever agreed to one is asked again; return how many were new."""
    others = notices.c.retired_at.is_(None) & notices.c.sha256.not_in(sorted(standing))
    return connection.execute(update(notices).where(others).values(retired_at=now)).rowcount


def valid(connection: Connection, at: datetime) -> frozenset[str]:
    """The SHA-256 of each text that stands at an instant.

    There is no lower bound: nobody can have agreed to a text before it was there.
    """
    standing = or_(notices.c.retired_at.is_(None), notices.c.retired_at > at)
    return frozenset(connection.execute(select(notices.c.sha256).where(standing)).scalars())


def document(connection: Connection, sha256: str) -> dict[str, Any] | None:
    """The text itself, as it was shown."""
    query = select(notices.c.document).where(notices.c.sha256 == sha256)
    found: dict[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return found
