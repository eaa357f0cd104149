"""Flask-Security on our own store: who a session belongs to, and the codes of authenticator apps.

Taken from Flask-Security: its user and datastore, so that Flask-Login keeps the session and every request asks this
store whether it is still good; and its authenticator codes. Not taken: its pages and forms, which need inline scripts
and know nothing of the gate, and its freshness, which reads the wall clock (decision 20).
"""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta
from typing import Any, NoReturn

from flask import Flask, current_app, session
from flask_login import AnonymousUserMixin
from flask_security import RoleMixin, Security, UserDatastore, UserMixin
from flask_security.totp import Totp
from passlib.exc import TokenError

from tracker.access import Access
from tracker.access.credentials import Whom
from tracker.domain.consent import Recorder
from tracker.domain.members import Member, UnknownMemberError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.keys import KeyUnavailableError
from tracker.workflows import accounts, members
from webui.clock import now
from webui.services import services

ISSUER = "affect-tracker"
"""How an authenticator app calls us."""

STEP = timedelta(seconds=30)
"""How long a code of an app lasts; one step before and after is taken too, for clocks that are off."""

SIGN_IN = "sign_in"
"""Under what a session keeps the number of its sign-in; while a second factor is waited for there is none."""

_PARTICIPANT, _MEMBER = "p", "m"
_APPS = "authenticator apps"


class Role(RoleMixin):
    """A role, as Flask-Security has it: its name alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.permissions: list[str] = []


class User(UserMixin):
    """Whoever logs in.

    Parameters
    ----------
    whom, version
        Who it is, and the version that their sessions must have.
    chose_under
        Of a participant: the notices (SHA-256) under which they chose something themselves, so have seen.
    second
        Of a member: whether they have a second factor.
    """

    active = True
    fs_uniquifier = ""

    def __init__(
        self, whom: Whom, version: int, *, chose_under: Set[str] = frozenset(), second: bool = False
    ) -> None:
        self.whom = whom
        self.version = version
        self.chose_under = chose_under
        self.second = second
        kind = _MEMBER if isinstance(whom, Member) else _PARTICIPANT
        # Names the session version too: once that has changed, no session of before finds its user.
        self.fs_uniquifier = f"{kind}.{whom.id}.{version}"
        self.roles = _roles(whom)

    def calc_username(self) -> str:
        """How an authenticator app calls them."""
        return self.whom.name


class Store(UserDatastore):
    """Users as `tracker.workflows.accounts` and `tracker.workflows.members` know them; nothing is written here."""

    def __init__(self) -> None:
        super().__init__(User, Role)

    def find_user(self, case_insensitive: bool = False, **by: Any) -> User | None:
        """Find whoever a session names; None when they are gone, or their sessions were ended."""
        kind, _, rest = str(by.get("fs_uniquifier", "")).partition(".")
        number, _, version = rest.partition(".")
        try:
            user = _user(kind, number, session.get(SIGN_IN))
        except (UnknownMemberError, UnknownParticipantError, KeyUnavailableError):
            return None
        if user is None or str(user.version) != version:
            return None
        return user

    def find_role(self, role: str) -> Role | None:
        """A role by its name; what it may do stands in `webui.roles`."""
        return Role(role)

    def set_uniquifier(self, user: UserMixin, uniquifier: str | None = None) -> None:
        """End every session of a user."""
        assert isinstance(user, User)
        accounts.end_sessions(services().access, user.whom, now())

    def put(self, model: Any) -> NoReturn:
        """Nothing is written through here."""
        raise TypeError("accounts change through tracker.workflows.accounts and members alone")

    delete = put


class AppCodes(Totp):
    """Codes of authenticator apps on our clock; secrets are encrypted before they are sealed once more."""

    def step_of(self, code: str, secret: str, last: int | None) -> int | None:
        """The time step of a right code; None for a wrong one, and for one of a step that was accepted before."""
        try:
            found = self._totp.verify(
                code, secret, time=now(), window=int(STEP.total_seconds()), last_counter=last
            )
        except (TokenError, ValueError):
            return None
        step: int = found.counter
        return step


def set_up(app: Flask, access: Access) -> None:
    """Let Flask-Security keep the sessions of an app, without its pages."""
    app.config.update(
        SESSION_PROTECTION=None,
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TOTP_SECRETS={"1": access.vault.secret(_APPS).hex()},
        SECURITY_TOTP_ISSUER=ISSUER,
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
    )
    security = Security(app, Store(), register_blueprint=False, totp_cls=AppCodes)
    security.login_manager.anonymous_user = AnonymousUserMixin
    # Sessions alone: no token in a header, an address or a body logs anybody in.
    security.login_manager.request_loader(lambda _: None)


def participant_of(uniquifier: str) -> str:
    """Which participant a session is or was of; empty for a member's.

    Examples
    --------
    >>> participant_of("p.0a1b.3"), participant_of("m.0a1b.3")
    ('0a1b', '')
    """
    kind, _, rest = uniquifier.partition(".")
    return rest.partition(".")[0] if kind == _PARTICIPANT else ""


def app_codes() -> AppCodes:
    """What checks the codes of authenticator apps in the current app."""
    found: AppCodes = current_app.extensions["security"].totp_factory
    return found


def _roles(whom: Whom) -> list[RoleMixin]:
    """Their roles, in every study; what each may do stands in `webui.roles`."""
    if isinstance(whom, Person):
        return [Role("participant")]
    return [Role(f"{role.value}@{study}") for study, held in whom.roles.items() for role in sorted(held)]


def _user(kind: str, number: str, sign_in: int | None) -> User | None:
    """Who it is, looked up in one transaction with whether their sign-in goes on; None where it does not."""
    access = services().access
    if kind == _MEMBER:
        member = members.by_id(access, number, now())
        standing = (
            accounts.standing(access, member, now())
            if sign_in is None
            else accounts.standing_signed_in(access, member, sign_in, now())
        )
        return User(member, standing[0], second=standing[1]) if standing is not None else None
    if kind != _PARTICIPANT:
        return None
    with access.read(number, now()) as unit:
        if sign_in is not None and not accounts.goes_on(unit, sign_in):
            return None
        own = frozenset(e.notice.sha256 for e in unit.events if e.recorder is Recorder.PARTICIPANT)
        return User(unit.person, accounts.session_version(unit), chose_under=own)
