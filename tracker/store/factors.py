"""Queries about what people log in with beside a password, their invitations, and their own sign-ins.

Participants and members are told apart by the column that names them, and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select, update

from tracker.store.tables import factors, invitations, sign_ins


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows are meant: one of the two is None."""

    participant: str | None
    member: str | None

    def owns(self, table: Table) -> ColumnElement[bool]:
        """The condition on a row of theirs."""
        if self.member is not None:
            return table.c.member == self.member
        return table.c.participant == self.participant

    def columns(self) -> dict[str, str | None]:
        """What their rows hold in the two columns."""
        return {"participant": self.participant, "member": self.member}


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A passkey, an authenticator app or a recovery code as stored."""

    id: str
    kind: str
    digest: str | None
    sealed: bytes
    counter: int
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignInRow:
    """One sign-in."""

    at: datetime
    how: str
    browser: str


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One sign-in as it is listed: with its number, and when its session was ended before its time."""

    id: int
    at: datetime
    how: str
    browser: str
    ended_at: datetime | None


_FACTOR = (
    factors.c.id,
    factors.c.kind,
    factors.c.digest,
    factors.c.sealed,
    factors.c.counter,
    factors.c.added_at,
    factors.c.used_at,
)


def add(connection: Connection, owner: Owner, row: FactorRow) -> None:
    """Keep one more factor of somebody's."""
    values = {column.name: getattr(row, column.name) for column in _FACTOR}
    connection.execute(insert(factors).values(values | owner.columns()))


def of(connection: Connection, owner: Owner, kind: str | None = None) -> list[FactorRow]:
    """Somebody's factors, or those of one kind, oldest first."""
    query = select(*_FACTOR).where(owner.owns(factors)).order_by(factors.c.added_at, factors.c.id)
    if kind is not None:
        query = query.where(factors.c.kind == kind)
    return [FactorRow(*row) for row in connection.execute(query)]


def by_digest(connection: Connection, kind: str, digest: str) -> tuple[Owner, FactorRow] | None:
    """Find a factor, and whose it is."""
    query = select(factors.c.participant, factors.c.member, *_FACTOR)
    row = connection.execute(query.where(factors.c.kind == kind, factors.c.digest == digest)).one_or_none()
    return None if row is None else (Owner(*row[:2]), FactorRow(*row[2:]))


def accept(connection: Connection, owner: Owner, number: str, counter: int, now: datetime) -> bool:
    """Note that a factor was used with a counter; False when that one, or a later one, was used before.

    A passkey that lives on several devices counts nothing: its counter is 0 for ever, and 0 is always accepted then.
    """
    later = factors.c.counter < counter
    if counter == 0:
        later = factors.c.counter == 0
    statement = update(factors).where(owner.owns(factors), factors.c.id == number, later)
    return connection.execute(statement.values(counter=counter, used_at=now)).rowcount > 0


def use_up(connection: Connection, owner: Owner, kind: str, digest: str) -> bool:
    """Delete a factor that works once; False when there is none, or another was faster."""
    statement = delete(factors).where(owner.owns(factors), factors.c.kind == kind, factors.c.digest == digest)
    return connection.execute(statement).rowcount > 0


def remove(connection: Connection, owner: Owner, number: str) -> str | None:
    """Delete a factor of somebody's; return its kind, or None when they have none of that number."""
    statement = delete(factors).where(owner.owns(factors), factors.c.id == number).returning(factors.c.kind)
    return connection.execute(statement).scalar_one_or_none()


def remove_all(connection: Connection, owner: Owner, kind: str | None = None) -> int:
    """Delete somebody's factors, or those of one kind; return how many there were."""
    statement = delete(factors).where(owner.owns(factors))
    if kind is not None:
        statement = statement.where(factors.c.kind == kind)
    return connection.execute(statement).rowcount


def invite(connection: Connection, owner: Owner, digest: str, now: datetime, expires_at: datetime) -> None:
    """Keep an invitation; the one before stops working."""
    connection.execute(delete(invitations).where(owner.owns(invitations)))
    values = {"digest": digest, "created_at": now, "expires_at": expires_at}
    connection.execute(insert(invitations).values(values | owner.columns()))


def invited(connection: Connection, digest: str, now: datetime) -> Owner | None:
    """Whom an invitation lets in; None when there is none, or it is too old."""
    query = select(invitations.c.participant, invitations.c.member).where(
        invitations.c.digest == digest, invitations.c.expires_at >= now
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Owner(*row)


def end_invitation(connection: Connection, digest: str) -> bool:
    """Use an invitation up; False when another was faster."""
    return connection.execute(delete(invitations).where(invitations.c.digest == digest)).rowcount > 0


def end_invitations(connection: Connection, owner: Owner) -> None:
    """End whatever invitation somebody has."""
    connection.execute(delete(invitations).where(owner.owns(invitations)))


def note_sign_in(connection: Connection, owner: Owner, row: SignInRow) -> int:
    """Note that somebody signed in; return the number of it."""
    values = {"at": row.at, "how": row.how, "browser": row.browser}
    number: int = connection.execute(
        insert(sign_ins).values(values | owner.columns()).returning(sign_ins.c.id)
    ).scalar_one()
    return number


def end_sign_in(connection: Connection, owner: Owner, number: int, at: datetime) -> None:
    """Note that the session of somebody's sign-in was logged out."""
    mine = owner.owns(sign_ins) & (sign_ins.c.id == number) & sign_ins.c.ended_at.is_(None)
    connection.execute(update(sign_ins).where(mine).values(ended_at=at))


def goes_on(connection: Connection, owner: Owner, number: int) -> bool:
    """Whether the session of somebody's sign-in was not logged out; one that is not there any more is over."""
    mine = owner.owns(sign_ins) & (sign_ins.c.id == number) & sign_ins.c.ended_at.is_(None)
    return connection.execute(select(sign_ins.c.id).where(mine)).first() is not None


def end_sign_ins(connection: Connection, owner: Owner, at: datetime, but: int | None = None) -> None:
    """Note that the sessions of all of somebody's sign-ins were ended, but that of one."""
    going = owner.owns(sign_ins) & sign_ins.c.ended_at.is_(None)
    if but is not None:
        going &= sign_ins.c.id != but
    connection.execute(update(sign_ins).where(going).values(ended_at=at))


def sign_ins_of(connection: Connection, owner: Owner, most: int) -> list[ListedRow]:
    """Somebody's own sign-ins, newest first."""
    s = sign_ins.c
    query = select(s.id, s.at, s.how, s.browser, s.ended_at).where(owner.owns(sign_ins))
    return [
        ListedRow(*row) for row in connection.execute(query.order_by(s.at.desc(), s.id.desc()).limit(most))
    ]


def forget(connection: Connection, now: datetime, sign_ins_before: datetime) -> dict[str, int]:
    """Delete invitations that are too old, and sign-ins before an instant; return how many, by table."""
    old = delete(invitations).where(invitations.c.expires_at < now)
    past = delete(sign_ins).where(sign_ins.c.at < sign_ins_before)
    return {
        "invitations": connection.execute(old).rowcount,
        "sign_ins": connection.execute(past).rowcount,
    }
