"""The members of the staff, opened and sealed: each has a key of their own, and is gone when it is destroyed.

The key's purpose is not a participant's, so whatever walks participants' keys (rotation, erasure, what a restored key
store holds of nobody) passes members by.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tracker.access.exported import outdate_rated
from tracker.access.gate import MEMBER_NAMES, NAMES, Access
from tracker.domain.members import Member, MemberError, UnknownMemberError
from tracker.privacy.keys import INSTALLATION, KeyDestroyedError
from tracker.store import members, people
from tracker.store.database import Connection
from tracker.store.members import MemberRow

MEMBER = "member"
"""Purpose of the data key that seals a member's name and what they log in with."""

_PLACE = "members.name_sealed|{}"


@dataclass(frozen=True, slots=True)
class MemberUnit:
    """A transaction on one member.

    Attributes
    ----------
    connection, member, now
        What to ask, about whom, when (UTC).
    """

    connection: Connection
    member: Member
    now: datetime


def admit(access: Access, name: str, now: datetime) -> Member:
    """Add a member under a random id; the caller has checked the name.

    Raises
    ------
    MemberError
        When a member or a participant has the name.
    """
    number = secrets.token_hex(16)
    row = MemberRow(number, access.vault.seal(number, MEMBER, name.encode(), _PLACE.format(number)), now)
    with access.database.write() as connection:
        people.lock_names(connection)
        digests = access.vault.digests(MEMBER_NAMES, name)
        taken = (
            members.by_digest(connection, digests) is not None
            or people.by_digest(connection, access.vault.digests(NAMES, name)) is not None
        )
        added = not taken and members.add(connection, digests[0], row)
    if not added:
        access.vault.destroy(number)
        raise MemberError(f"somebody here is called {name!r} already; choose another name")
    return Member(number, name, now)


def find(access: Access, name: str) -> Member:
    """Find a member by name; raise `UnknownMemberError` when there is none."""
    tried: tuple[str, ...] = ()
    # While digests are made anew under another key, one that was fetched before would miss what is there.
    while (digests := access.vault.digests(MEMBER_NAMES, name)) != tried:
        tried = digests
        with access.database.read() as connection:
            row = members.by_digest(connection, digests)
            if row is not None and (found := _opened(access, connection, row)) is not None:
                return found
    raise UnknownMemberError(name)


def everyone(access: Access) -> list[Member]:
    """All members, in the order in which they were added; without those whose removal is not finished."""
    with access.database.read() as connection:
        found = [_opened(access, connection, row) for row in members.everyone(connection)]
    return [member for member in found if member is not None]


@contextmanager
def reading(access: Access, member: str, now: datetime) -> Iterator[MemberUnit]:
    """Open a reading unit on a member.

    Raises
    ------
    UnknownMemberError
        When there is none of this id, or they were removed.
    """
    with access.database.read() as connection:
        yield _unit(access, connection, members.by_id(connection, member), now)


@contextmanager
def writing(access: Access, member: str, now: datetime) -> Iterator[MemberUnit]:
    """Open a writing unit on a member: their row is locked until it is committed.

    Raises
    ------
    UnknownMemberError
        When there is none of this id, or they were removed.
    """
    with access.database.write() as connection:
        yield _unit(access, connection, members.lock(connection, member), now)


def remove(
    access: Access,
    member: str,
    before: Callable[[Connection], None] = lambda _: None,
    now: datetime | None = None,
) -> dict[str, int]:
    """Destroy a member's key, delete their rows, and look names up under a new key.

    Whoever is killed after the key is destroyed leaves rows that nobody can open; doing it again, or `sweep`, deletes
    them.

    Parameters
    ----------
    access
        The gate.
    member
        Their id.
    before
        Called in the deleting transaction, before: settles rows that may stay without them.
    now
        Since when exports that hold what they said as a rater are outdated; None: since they were made.

    Returns
    -------
    dict
        How many rows went, by table.
    """
    access.vault.destroy(member)
    with access.database.write() as connection:
        members.lock(connection, member)
        outdate_rated(access, connection, member, now)
        before(connection)
        gone = members.erase(connection, member)
    _renew_digests(access)
    access.keys.compact()
    return gone


def sweep(access: Access) -> int:
    """Delete the rows of members whose key was destroyed: a removal that was cut short, or an old backup."""
    kept = access.keys.owners(MEMBER)
    with access.database.read() as connection:
        loose = [row.id for row in members.everyone(connection) if row.id not in kept]
    for member in loose:
        remove(access, member)
    return len(loose)


def _unit(access: Access, connection: Connection, row: MemberRow | None, now: datetime) -> MemberUnit:
    member = None if row is None else _opened(access, connection, row)
    if member is None:
        raise UnknownMemberError("?")
    return MemberUnit(connection, member, now)


def _opened(access: Access, connection: Connection, row: MemberRow) -> Member | None:
    try:
        name = access.vault.open(row.id, MEMBER, row.name_sealed, _PLACE.format(row.id))
    except KeyDestroyedError:
        return None
    roles = MappingProxyType(members.roles(connection, row.id))
    return Member(row.id, name.decode(), row.created_at, roles)


def _renew_digests(access: Access) -> None:
    """Make every member's digest anew under a new key: whoever was removed cannot be guessed from an old backup."""
    access.vault.secret(MEMBER_NAMES)
    access.vault.renew(INSTALLATION, MEMBER_NAMES)
    _, retiring = access.vault.renewed(INSTALLATION, MEMBER_NAMES)
    with access.database.write() as connection:
        people.lock_names(connection)
        for row in sorted(members.everyone(connection), key=lambda row: row.id):
            if (member := _opened(access, connection, row)) is not None:
                members.set_digest(connection, row.id, access.vault.digest(MEMBER_NAMES, member.name))
    access.vault.destroy_retiring(INSTALLATION, MEMBER_NAMES, retiring)
