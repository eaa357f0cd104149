"""Log in: name and one-time code the first time, name and password ever after.

What goes wrong is told in one sentence whatever it was, and takes the same time, so that nobody can find
out who is enrolled here. Tries are counted before a password is looked at: five wrong ones, also at once,
lock the account for a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, Unit, membership
from tracker.domain.passwords import hash_password, matches
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import members, people

TRIES = 5
"""Wrong tries in a row that lock an account."""

LOCKED_FOR = timedelta(minutes=15)


class LoginError(Exception):
    """Nobody was logged in; the message is the same whatever the reason."""

    def __init__(self) -> None:
        super().__init__(
            "That name and that code or password do not fit together. After "
            f"{TRIES} wrong tries wait {LOCKED_FOR.seconds // 60} minutes; a one-time code that is used or "
            "too old can be replaced by the person who gave it to you."
        )


@dataclass(frozen=True, slots=True)
class Login:
    """A successful login.

    Attributes
    ----------
    person
        Who logged in.
    version
        The account's session version: a session is good only while its version is the account's.
    by_code
        Whether a one-time code was given; a password must then be chosen, which uses the code up.
    """

    person: Person
    version: int
    by_code: bool


def log_in(access: Access, name: str, secret: str, now: datetime) -> Login:
    """Check a name with a password or a one-time code.

    Parameters
    ----------
    access
        The gate.
    name
        As the operator enrolled them.
    secret
        The password, or the one-time code as it was handed out.
    now
        The instant (UTC).

    Raises
    ------
    LoginError
        When they do not fit together, or the account is locked.
    """
    try:
        person = access.person(name)
    except UnknownParticipantError:
        matches(None, secret)
        raise LoginError from None
    account = _count_try(access, person, now)
    by_password = matches(account.password_hash if account else None, secret)
    by_code = account is not None and _code_fits(account, secret, now)
    if account is None or not (by_password or by_code):
        raise LoginError
    with access.write(person.id, now) as unit:
        people.set_account(unit.connection, person.id, failures=0, locked_until=None)
    return Login(person, account.session_version, by_code and not by_password)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose password or one-time code was given, without a login.

    Attributes
    ----------
    person
        Whose it is.
    by_code
        Whether it was the one-time code, which must be used up by what it is given for.
    """

    person: Person
    by_code: bool


def holder_of(access: Access, name: str, secret: str, now: datetime) -> Holder:
    """Find whose password or one-time code this is, locked out or not; a code is not used up yet.

    Nobody can keep somebody from withdrawing by locking their account: no try is counted here, and whoever calls
    limits tries by address. A code has 60 random bits; a password takes the slow hash. One slow hash is made whoever it
    is, also for a name that nobody has.

    Raises
    ------
    LoginError
        When they do not fit together, or the code was used or is too old.
    """
    try:
        person = access.person(name)
    except UnknownParticipantError:
        matches(None, secret)
        raise LoginError from None
    with access.read(person.id, now) as unit:
        account = people.account(unit.connection, person.id)
    by_password = matches(account.password_hash if account else None, secret)
    by_code = account is not None and _code_fits(account, secret, now)
    if not (by_password or by_code):
        raise LoginError
    return Holder(person, by_code and not by_password)


def choose_password(access: Access, person: Person, password: str, now: datetime) -> int:
    """Set the password, use up the one-time code, and end all other sessions; return the new version.

    Raises
    ------
    WeakPasswordError
        When it is too short.
    """
    hashed = hash_password(password)
    with access.write(person.id, now) as unit:
        version = _version(unit) + 1
        people.set_account(
            unit.connection,
            person.id,
            password_hash=hashed,
            code_hash=None,
            code_expires_at=None,
            session_version=version,
            failures=0,
            locked_until=None,
        )
    return version


def end_sessions(access: Access, person: Person, now: datetime) -> int:
    """Log out everywhere; return the version that a new session must have."""
    with access.write(person.id, now) as unit:
        version = _version(unit) + 1
        people.set_account(unit.connection, person.id, session_version=version)
    return version


def has_password(unit: Unit) -> bool:
    """Whether the person of a unit has chosen a password."""
    account = people.account(unit.connection, unit.person.id)
    return account is not None and account.password_hash is not None


def session_version(unit: Unit) -> int:
    """The version that sessions of the unit's person must have to be good."""
    return _version(unit)


def member_session_version(access: Access, member: str, now: datetime) -> int:
    """The version that a member's sessions must have to be good.

    Raises
    ------
    UnknownMemberError
        When there is no such member, or they were removed.
    """
    with membership.reading(access, member, now) as unit:
        account = members.account(unit.connection, member)
    return account.session_version if account is not None else 0


def confirm_password(access: Access, person: Person, password: str, now: datetime) -> None:
    """Check the password again before something that cannot be undone; tries count as at login.

    Raises
    ------
    LoginError
        When it is wrong or the account is locked.
    """
    account = _count_try(access, person, now)
    if not matches(account.password_hash if account else None, password):
        raise LoginError
    with access.write(person.id, now) as unit:
        people.set_account(unit.connection, person.id, failures=0, locked_until=None)


def _count_try(access: Access, person: Person, now: datetime) -> people.AccountRow | None:
    """Count a try as wrong before it is looked at; None while the account is locked."""
    with access.write(person.id, now) as unit:
        account = people.account(unit.connection, person.id)
        if account is None or (account.locked_until is not None and now < account.locked_until):
            return None
        failures = account.failures + 1 if account.locked_until is None else 1
        locked = now + LOCKED_FOR if failures >= TRIES else None
        people.set_account(unit.connection, person.id, failures=failures, locked_until=locked)
        return account


def _code_fits(account: people.AccountRow, secret: str, now: datetime) -> bool:
    alive = account.code_expires_at is not None and account.code_expires_at >= now
    return alive and matches(account.code_hash, secret)


def _version(unit: Unit) -> int:
    account = people.account(unit.connection, unit.person.id)
    return account.session_version if account is not None else 0
