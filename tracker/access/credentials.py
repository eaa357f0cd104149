"""What people log in with: opened and sealed under their own key, whether they take part or are members.

One door for both, because logging in is one thing: whoever it is has an account row, factors and sign-ins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.access import membership
from tracker.access.gate import Access
from tracker.access.membership import MEMBER
from tracker.domain.members import Member, UnknownMemberError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.keys import IDENTITY
from tracker.store import members, people
from tracker.store.database import Connection
from tracker.store.factors import Owner

Whom = Person | Member
"""Somebody who can log in."""

_RECOVERY = "recovery codes"
_PASSKEYS = "passkeys"


@dataclass(frozen=True, slots=True)
class Account:
    """How somebody logs in, participant or member.

    Attributes
    ----------
    password_hash
        None until a password was chosen.
    code_hash, code_expires_at
        A participant's one-time code; a member has none.
    session_version
        A session is good only while its version is this one.
    failures, locked_until
        Wrong tries in a row, and until when nobody is let in.
    """

    password_hash: str | None
    code_hash: str | None
    code_expires_at: datetime | None
    session_version: int
    failures: int
    locked_until: datetime | None


class Door:
    """A transaction on how one person logs in.

    Parameters
    ----------
    access, connection, whom, now
        The gate, the transaction, of whom, when (UTC).
    """

    def __init__(self, access: Access, connection: Connection, whom: Whom, now: datetime) -> None:
        self._access = access
        self.connection = connection
        self.whom = whom
        self.now = now

    @property
    def owner(self) -> Owner:
        """Whose rows are meant."""
        return owner_of(self.whom)

    @property
    def purpose(self) -> str:
        """Of the key under which is sealed what is about how they log in."""
        return _purpose(self.whom)

    def account(self) -> Account:
        """How they log in."""
        if isinstance(self.whom, Member):
            row = members.account(self.connection, self.whom.id)
            if row is None:
                raise UnknownMemberError(self.whom.name)
            return Account(row.password_hash, None, None, row.session_version, row.failures, row.locked_until)
        found = people.account(self.connection, self.whom.id)
        if found is None:
            raise UnknownParticipantError(self.whom.name)
        return Account(
            found.password_hash,
            found.code_hash,
            found.code_expires_at,
            found.session_version,
            found.failures,
            found.locked_until,
        )

    def set(self, **values: Any) -> None:
        """Change how they log in; a member has no one-time code that could be changed."""
        if isinstance(self.whom, Member):
            own = {name: value for name, value in values.items() if not name.startswith("code_")}
            members.set_account(self.connection, self.whom.id, **own)
        else:
            people.set_account(self.connection, self.whom.id, **values)

    def seal(self, number: str, secret: bytes) -> bytes:
        """Seal what is secret of a factor."""
        return self._access.vault.seal(self.whom.id, self.purpose, secret, f"factors.sealed|{number}")

    def open(self, number: str, sealed: bytes) -> bytes:
        """Open what is secret of a factor."""
        return self._access.vault.open(self.whom.id, self.purpose, sealed, f"factors.sealed|{number}")

    def code_digest(self, code: str) -> str:
        """What a recovery code is found by: keyed, and another for each person."""
        return self._access.vault.digest(_RECOVERY, f"{self.whom.id}|{code}")


def owner_of(whom: Whom) -> Owner:
    """Whose rows are meant, as the store names them."""
    return Owner(None, whom.id) if isinstance(whom, Member) else Owner(whom.id, None)


def find(access: Access, name: str) -> Whom | None:
    """A participant or a member of this name; None when there is neither. Nobody shares a name."""
    found: Whom | None = None
    # Both are asked in any case, so that it takes as long whoever it is.
    with suppress(UnknownMemberError):
        found = membership.find(access, name)
    with suppress(UnknownParticipantError):
        found = access.person(name)
    return found


def by_owner(access: Access, owner: Owner, now: datetime) -> Whom | None:
    """Whose a row is; None when they are gone."""
    try:
        if owner.member is not None:
            with membership.reading(access, owner.member, now) as unit:
                return unit.member
        with access.read(owner.participant or "", now) as found:
            return found.person
    except (UnknownMemberError, UnknownParticipantError):
        return None


def handle(access: Access, whom: Whom) -> bytes:
    """What a passkey calls its person: 32 bytes that tell nothing, the same each time."""
    return bytes.fromhex(access.vault.digest(_PASSKEYS, whom.id))


@contextmanager
def reading(access: Access, whom: Whom, now: datetime) -> Iterator[Door]:
    """Open a reading transaction on how somebody logs in.

    Raises
    ------
    UnknownParticipantError, UnknownMemberError
        When they are gone.
    """
    if isinstance(whom, Member):
        with membership.reading(access, whom.id, now) as member:
            yield Door(access, member.connection, member.member, now)
    else:
        with access.read(whom.id, now) as unit:
            yield Door(access, unit.connection, unit.person, now)


@contextmanager
def writing(access: Access, whom: Whom, now: datetime) -> Iterator[Door]:
    """Open a writing transaction on how somebody logs in; nobody else writes about them meanwhile.

    Raises
    ------
    UnknownParticipantError, UnknownMemberError
        When they are gone.
    """
    if isinstance(whom, Member):
        with membership.writing(access, whom.id, now) as member:
            yield Door(access, member.connection, member.member, now)
    else:
        with access.write(whom.id, now) as unit:
            yield Door(access, unit.connection, unit.person, now)


def _purpose(whom: Whom) -> str:
    return MEMBER if isinstance(whom, Member) else IDENTITY
