"""Log in: name and one-time code the first time, name and password ever after, then a second factor where there is one.

What goes wrong is told in one sentence whatever it was, and takes the same time, so that nobody can find
out who is enrolled here. Tries are counted before a password is looked at: five wrong ones, also at once,
lock the account for a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, Unit, credentials
from tracker.access.credentials import Account, Door, Whom
from tracker.domain.passwords import demand_strong, hash_password, is_outdated, matches
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import factors, people
from tracker.workflows.accounts.factors import is_second
from tracker.workflows.accounts.telling import end_devices

TRIES = 5
"""Wrong tries in a row that lock an account."""

LOCKED_FOR = timedelta(minutes=15)


class LoginError(Exception):
    """Nobody was logged in; the message is the same whatever the reason.

    Attributes
    ----------
    whom
        Whose account was tried, for who runs this and for nobody who asks; None where nobody has that name.
    """

    def __init__(self, whom: Whom | None = None) -> None:
        self.whom = whom
        super().__init__(
            "That name and that code or password do not fit together. After "
            f"{TRIES} wrong tries wait {LOCKED_FOR.seconds // 60} minutes; a one-time code that is used or "
            "too old can be replaced by the person who gave it to you."
        )


@dataclass(frozen=True, slots=True)
class Login:
    """A name with the password or the code that belongs to it.

    Attributes
    ----------
    whom
        Who it is.
    version
        The account's session version: a session is good only while its version is the account's.
    by_code
        Whether a one-time code was given; a password must then be chosen, which uses the code up.
    second
        Whether a second factor has to follow before a session may begin.
    """

    whom: Whom
    version: int
    by_code: bool
    second: bool

    @property
    def person(self) -> Person:
        """The participant, where it is one."""
        assert isinstance(self.whom, Person)
        return self.whom


def log_in(access: Access, name: str, secret: str, now: datetime) -> Login:
    """Check a name with a password or a one-time code.

    Parameters
    ----------
    access
        The gate.
    name
        As the operator enrolled or invited them.
    secret
        The password, or the one-time code as it was handed out.
    now
        The instant (UTC).

    Raises
    ------
    LoginError
        When they do not fit together, or the account is locked.
    """
    whom = credentials.find(access, name)
    if whom is None:
        matches(None, secret)
        raise LoginError
    account = count_try(access, whom, now)
    by_password = matches(account.password_hash if account else None, secret)
    by_code = account is not None and _code_fits(account, secret, now)
    if account is None or not (by_password or by_code):
        raise LoginError(whom)
    anew = account.password_hash if by_password else None
    changed = {"password_hash": hash_password(secret)} if anew is not None and is_outdated(anew) else {}
    with credentials.writing(access, whom, now) as door:
        second = any(is_second(row.kind) for row in factors.of(door.connection, door.owner))
        # Whoever knows the password alone must not get more tries at the second factor by giving it again; a lock that
        # has run out took the tries before it along.
        failures = account.failures if second and account.locked_until is None else 0
        door.set(failures=failures, locked_until=None, **changed)
    return Login(whom, account.session_version, by_code and not by_password, second)


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
    is, also for a name that nobody has. A second factor is not asked for: whoever lost it may withdraw all the same.

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
    with credentials.reading(access, person, now) as door:
        account = door.account()
    by_password = matches(account.password_hash, secret)
    by_code = _code_fits(account, secret, now)
    if not (by_password or by_code):
        raise LoginError(person)
    return Holder(person, by_code and not by_password)


def choose_password(
    access: Access, whom: Whom, password: str, now: datetime, *, here: int | None = None
) -> int:
    """Set the password, use up code and invitation, and end all other sessions; return the new version.

    Parameters
    ----------
    access, whom
        The gate, and whose password.
    password
        The new one.
    now
        The instant (UTC).
    here
        The number of the sign-in whose session goes on, under the new version.

    Raises
    ------
    WeakPasswordError
        When it is too short, or among the first that somebody would guess.
    """
    demand_strong(password, whom.name)
    hashed = hash_password(password)
    with credentials.writing(access, whom, now) as door:
        version = door.account().session_version + 1
        door.set(
            password_hash=hashed,
            code_hash=None,
            code_expires_at=None,
            session_version=version,
            failures=0,
            locked_until=None,
        )
        factors.end_invitations(door.connection, door.owner)
        factors.end_sign_ins(door.connection, door.owner, now, but=here)
        end_devices(door, but=here)
    return version


def end_sessions(access: Access, whom: Whom, now: datetime) -> int:
    """Log out everywhere; return the version that a new session must have."""
    with credentials.writing(access, whom, now) as door:
        version = door.account().session_version + 1
        door.set(session_version=version)
        factors.end_sign_ins(door.connection, door.owner, now)
        end_devices(door)
    return version


def has_password(unit: Unit) -> bool:
    """Whether the person of a unit has chosen a password."""
    account = people.account(unit.connection, unit.person.id)
    return account is not None and account.password_hash is not None


def session_version(unit: Unit) -> int:
    """The version that sessions of the unit's person must have to be good."""
    account = people.account(unit.connection, unit.person.id)
    return account.session_version if account is not None else 0


def standing(access: Access, whom: Whom, now: datetime) -> tuple[int, bool]:
    """The version that somebody's sessions must have to be good, and whether they have a second factor."""
    with credentials.reading(access, whom, now) as door:
        return _standing(door)


def standing_signed_in(access: Access, whom: Whom, sign_in: int, now: datetime) -> tuple[int, bool] | None:
    """As `standing`, in one transaction with whether a sign-in of theirs goes on; None where it does not."""
    with credentials.reading(access, whom, now) as door:
        return _standing(door) if factors.goes_on(door.connection, door.owner, sign_in) else None


def _standing(door: Door) -> tuple[int, bool]:
    second = any(is_second(row.kind) for row in factors.of(door.connection, door.owner))
    return door.account().session_version, second


def confirm_password(
    access: Access, whom: Whom, password: str, now: datetime, *, forgiving: bool = True
) -> None:
    """Check the password again before something that cannot be undone; tries count as at login.

    Parameters
    ----------
    access, whom
        The gate, and whose password.
    password
        As it was typed.
    now
        The instant (UTC).
    forgiving
        Whether the tries before are forgotten when it is right; not where a second factor has still to follow, for
        whoever knows the password alone gets no more tries at that by giving it again.

    Raises
    ------
    LoginError
        When it is wrong or the account is locked.
    """
    account = count_try(access, whom, now)
    if not matches(account.password_hash if account else None, password):
        raise LoginError
    if forgiving:
        forgive(access, whom, now)


def count_try(access: Access, whom: Whom, now: datetime) -> Account | None:
    """Count a try as wrong before it is looked at; None while the account is locked, or when its owner is gone."""
    with credentials.writing(access, whom, now) as door:
        account = door.account()
        if account.locked_until is not None and now < account.locked_until:
            return None
        failures = account.failures + 1 if account.locked_until is None else 1
        door.set(failures=failures, locked_until=now + LOCKED_FOR if failures >= TRIES else None)
        return account


def forgive(access: Access, whom: Whom, now: datetime) -> None:
    """Forget the tries that were counted: the right thing was given."""
    with credentials.writing(access, whom, now) as door:
        door.set(failures=0, locked_until=None)


def _code_fits(account: Account, secret: str, now: datetime) -> bool:
    alive = account.code_expires_at is not None and account.code_expires_at >= now
    return alive and matches(account.code_hash, secret)
