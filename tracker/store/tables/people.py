"""Who takes part and who works here, and how each of them signs in."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
)

from tracker.store.tables.columns import metadata
from tracker.store.types import Instant, RowId

participants = Table(
    "participants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name_digest", String(64), nullable=False, unique=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("subject_sealed", LargeBinary, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("paused_at", Instant),
)

subjects = Table("subjects", metadata, Column("id", String(32), primary_key=True))

accounts = Table(
    "accounts",
    metadata,
    Column("participant", String(32), ForeignKey("participants.id"), primary_key=True),
    Column("code_hash", String(200)),
    Column("code_expires_at", Instant),
    Column("password_hash", String(200)),
    Column("session_version", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
)

# Raters, researchers and operators: each under a key of their own, as participants are.
members = Table(
    "members",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name_digest", String(64), nullable=False, unique=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("password_hash", String(200)),
    Column("session_version", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("created_at", Instant, nullable=False),
)

member_roles = Table(
    "member_roles",
    metadata,
    Column("member", String(32), ForeignKey("members.id"), primary_key=True),
    Column("study", String(64), primary_key=True),
    Column("role", String(16), primary_key=True),
)


def whose() -> list[Column[str]]:
    """Whose sign-in a row is: a participant's, or a member's."""
    return [
        Column("participant", String(32), ForeignKey("participants.id"), index=True),
        Column("member", String(32), ForeignKey("members.id"), index=True),
    ]


# A link that lets somebody in once; only its digest is here.
invitations = Table(
    "invitations",
    metadata,
    Column("digest", String(64), primary_key=True),
    *whose(),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

# What somebody logs in with beside a password: passkeys, the secret of an authenticator app, recovery codes.
factors = Table(
    "factors",
    metadata,
    Column("id", String(32), primary_key=True),
    *whose(),
    Column("kind", String(16), nullable=False),
    # Of a passkey or a recovery code, to find it by.
    Column("digest", String(64), unique=True),
    Column("sealed", LargeBinary, nullable=False),
    # The last counter of a passkey, or time step of an app, that was accepted: none is accepted twice.
    Column("counter", BigInteger, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", RowId, primary_key=True),
    *whose(),
    Column("at", Instant, nullable=False),
    Column("how", String(16), nullable=False),
    Column("browser", String(64), nullable=False),
    # When its session was logged out: a copy of the cookie is good no longer.
    Column("ended_at", Instant),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)
