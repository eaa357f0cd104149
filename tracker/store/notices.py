"""Queries about notices: the exact texts that people were asked to agree to, kept as long as the installation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from tracker.domain.consent import Notice
from tracker.store.rows import upsert
from tracker.store.tables import notices
from tracker.study import Study, notice_texts


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A text as it is kept; `retired_at` is None where it stands."""

    sha256: str
    document: dict[str, Any]
    retired_at: datetime | None


def publish(connection: Connection, notice: Notice, document: Mapping[str, Any], now: datetime) -> None:
    """Let a text stand; one that was retired before stands again, and when it did not is kept."""
    this = notices.c.sha256 == notice.sha256
    kept = select(notices.c.retired_at, notices.c.absent).where(this)
    found = connection.execute(kept).one_or_none()
    if found is None:  # SQLite's guard refuses to put a row in place of another, so it is looked for first
        statement = upsert(connection, notices).values(
            sha256=notice.sha256,
            version=notice.version,
            language=notice.language,
            document=dict(document),
            published_at=now,
        )
        connection.execute(statement.on_conflict_do_nothing(index_elements=["sha256"]))
        found = connection.execute(kept).one()
    retired_at, absent = found
    if retired_at is not None:
        gap = [retired_at.isoformat(), max(now, retired_at).isoformat()]
        connection.execute(update(notices).where(this).values(retired_at=None, absent=[*(absent or []), gap]))


def stand(connection: Connection, study: Study, now: datetime) -> int:
    """Let the texts of a study stand, and retire every other; return how many were retired."""
    texts = {text.notice(): text for text in notice_texts(study)}
    for notice, text in texts.items():
        publish(connection, notice, text.document(), now)
    return retire_all_but(connection, frozenset(notice.sha256 for notice in texts), now)


def retire_all_but(connection: Connection, standing: frozenset[str], now: datetime) -> int:
    """Retire every other text: whoever agreed to one is asked again; return how many were new."""
    others = notices.c.retired_at.is_(None) & notices.c.sha256.not_in(sorted(standing))
    return connection.execute(update(notices).where(others).values(retired_at=now)).rowcount


def every(connection: Connection) -> list[NoticeRow]:
    """All texts that were ever published, in the order of their SHA-256."""
    c = notices.c
    query = select(c.sha256, c.document, c.retired_at).order_by(c.sha256)
    return [NoticeRow(*row) for row in connection.execute(query)]


def valid(connection: Connection, at: datetime) -> frozenset[str]:
    """The SHA-256 of each text that stands at an instant.

    There is no lower bound: nobody can have agreed to a text before it was there. For the past ask `stood`.
    """
    standing = or_(notices.c.retired_at.is_(None), notices.c.retired_at > at)
    return frozenset(connection.execute(select(notices.c.sha256).where(standing)).scalars())


def stood(connection: Connection, at: datetime) -> frozenset[str]:
    """The SHA-256 of each text that stood at a past instant, whatever became of it since."""
    c = notices.c
    rows = connection.execute(select(c.sha256, c.retired_at, c.absent))
    return frozenset(
        sha256
        for sha256, retired_at, absent in rows
        if (retired_at is None or at < retired_at)
        and not any(
            datetime.fromisoformat(gone) <= at < datetime.fromisoformat(back) for gone, back in absent or []
        )
    )


def published_at(connection: Connection, sha256: str) -> datetime | None:
    """When a text was published first."""
    query = select(notices.c.published_at).where(notices.c.sha256 == sha256)
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def document(connection: Connection, sha256: str) -> dict[str, Any] | None:
    """The text itself, as it was shown."""
    query = select(notices.c.document).where(notices.c.sha256 == sha256)
    found: dict[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return found
