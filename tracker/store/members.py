"""Queries about the members of the staff, their roles, and how they log in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, false, func, or_, select, update

from tracker.domain.members import Role
from tracker.store import raters
from tracker.store.rows import upsert
from tracker.store.tables import member_roles, members, metadata

_MEMBER = (members.c.id, members.c.name_sealed, members.c.created_at)
_ACCOUNT = (
    members.c.password_hash,
    members.c.session_version,
    members.c.failures,
    members.c.locked_until,
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as stored: the name sealed."""

    id: str
    name_sealed: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MemberAccountRow:
    """How a member logs in."""

    password_hash: str | None
    session_version: int
    failures: int
    locked_until: datetime | None


def add(connection: Connection, name_digest: str, row: MemberRow) -> bool:
    """Add a member without a role or a password; return False when the name is taken."""
    statement = (
        upsert(connection, members)
        .values(
            id=row.id,
            name_digest=name_digest,
            name_sealed=row.name_sealed,
            created_at=row.created_at,
            session_version=1,
            failures=0,
        )
        .on_conflict_do_nothing(index_elements=["name_digest"])
        .returning(members.c.id)
    )
    return connection.execute(statement).one_or_none() is not None


def by_digest(connection: Connection, name_digests: Sequence[str]) -> MemberRow | None:
    """Find a member by the keyed digest of their name, under any of the keys that it may be made with."""
    return _one(connection, members.c.name_digest.in_(name_digests))


def by_id(connection: Connection, member: str) -> MemberRow | None:
    """Find a member by id."""
    return _one(connection, members.c.id == member)


def everyone(connection: Connection) -> list[MemberRow]:
    """All members, in the order in which they were added."""
    rows = connection.execute(select(*_MEMBER).order_by(members.c.created_at, members.c.id))
    return [MemberRow(*row) for row in rows]


def lock(connection: Connection, member: str) -> MemberRow | None:
    """Lock the member's row against every other writer until the transaction ends."""
    query = select(*_MEMBER).where(members.c.id == member).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else MemberRow(*row)


def set_digest(connection: Connection, member: str, name_digest: str) -> None:
    """Put the digest of a member's name under another key."""
    connection.execute(update(members).where(members.c.id == member).values(name_digest=name_digest))


def roles(connection: Connection, member: str) -> dict[str, frozenset[Role]]:
    """What a member may do, by study."""
    query = select(member_roles.c.study, member_roles.c.role).where(member_roles.c.member == member)
    found: dict[str, frozenset[Role]] = {}
    for study, role in connection.execute(query):
        found[study] = found.get(study, frozenset()) | {Role(role)}
    return found


def with_roles(connection: Connection, study: str) -> frozenset[str]:
    """The members who may do anything in a study."""
    query = select(member_roles.c.member).where(member_roles.c.study == study).distinct()
    return frozenset(connection.execute(query).scalars())


def grant_role(connection: Connection, member: str, study: str, role: Role) -> None:
    """Give a member a role in a study; one that they have stays."""
    row = {"member": member, "study": study, "role": role.value}
    connection.execute(upsert(connection, member_roles).values(row).on_conflict_do_nothing())


def revoke_role(connection: Connection, member: str, study: str, role: Role) -> bool:
    """Take a role from a member; return whether they had it."""
    r = member_roles.c
    statement = delete(member_roles).where(r.member == member, r.study == study, r.role == role.value)
    return connection.execute(statement).rowcount > 0


def account(connection: Connection, member: str) -> MemberAccountRow | None:
    """How a member logs in."""
    row = connection.execute(select(*_ACCOUNT).where(members.c.id == member)).one_or_none()
    return None if row is None else MemberAccountRow(*row)


def set_account(connection: Connection, member: str, **values: Any) -> None:
    """Change columns of how a member logs in."""
    connection.execute(update(members).where(members.c.id == member).values(**values))


def owned(member: str) -> dict[Table, ColumnElement[bool]]:
    """Every table that holds rows of a member, with the condition that finds them; children first.

    As with a participant's it follows from the foreign keys, so a new table is covered when it is made.
    """
    conditions: dict[Table, ColumnElement[bool]] = {}
    for table in metadata.sorted_tables:
        if table is members:
            conditions[table] = members.c.id == member
            continue
        direct, through = [], []
        for key in table.foreign_keys:
            parent = key.column.table
            if parent is members:
                direct.append(key.parent == member)
            elif parent in conditions and parent is not table:
                through.append(key.parent.in_(select(key.column).where(conditions[parent])))
        if direct or through:
            conditions[table] = or_(false(), *direct, *through)
    return dict(reversed(conditions.items()))


def erase(connection: Connection, member: str, *, but: Collection[str] = ()) -> dict[str, int]:
    """Delete every row of a member; return how many there were by table.

    Parameters
    ----------
    connection
        In a writing transaction.
    member
        Their id.
    but
        Names of tables whose rows were settled otherwise before.
    """
    rated = raters.forget(connection, member)
    return rated | {
        table.name: connection.execute(delete(table).where(condition)).rowcount
        for table, condition in owned(member).items()
        if table.name not in but
    }


def left_of(connection: Connection, member: str) -> dict[str, int]:
    """Count the rows of a member by table; tables without any are left out."""
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
        for table, condition in owned(member).items()
    }
    return raters.held_of(connection, member) | {name: n for name, n in counts.items() if n}


def _one(connection: Connection, condition: Any) -> MemberRow | None:
    row = connection.execute(select(*_MEMBER).where(condition)).one_or_none()
    return None if row is None else MemberRow(*row)
