"""Tokens of programs: made, listed and revoked by their person, and looked at anew with every request."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, credentials
from tracker.access.credentials import Door, Whom
from tracker.domain.entering import SECOND
from tracker.domain.members import STRONG, Member, Role
from tracker.domain.tokens import (
    LONGEST,
    MOST,
    USUAL,
    Purpose,
    Token,
    TokenError,
    checked_name,
    checked_purposes,
    digest,
    is_token,
    new_token,
)
from tracker.store import factors
from tracker.store import tokens as rows
from tracker.store.tokens import TokenRow

_PLACE = "tokens.name_sealed|{}"


class TokenRefusedError(LookupError):
    """A token opens nothing: it was revoked, has ended, or never was one. Which of these is nobody's to know."""

    def __init__(self) -> None:
        super().__init__(
            "this token opens nothing: it was revoked, has ended, or is incomplete; make a new one"
        )


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token was given, and what it is for.

    Attributes
    ----------
    whom
        The participant or the member, with the roles they have now.
    token, study, purposes
        Its number, the only study that it is good for, and what for.
    """

    whom: Whom
    token: str
    study: str
    purposes: frozenset[Purpose]


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made.

    Attributes
    ----------
    token
        As its person sees it.
    text
        The token itself: shown now, and never again.
    """

    token: Token
    text: str


def make(
    access: Access,
    whom: Whom,
    roles: Collection[Role],
    name: str,
    purposes: Iterable[Purpose],
    study: str,
    now: datetime,
    *,
    lasts: timedelta = USUAL,
) -> Made:
    """Make a token for somebody; it is kept as a digest.

    Parameters
    ----------
    access, whom, roles
        The gate, for whom, and what they are to the study now.
    name
        What they call it.
    purposes
        What it is for; each must be one that their roles allow.
    study
        The id of the study.
    now, lasts
        The instant (UTC), and for how long it works.

    Raises
    ------
    TokenError
        When the name is none, a purpose is not theirs, it would last too long, or they have too many.
    """
    named, wanted = checked_name(name), checked_purposes(purposes, roles)
    if not timedelta(0) < lasts <= LONGEST:
        raise TokenError(f"a token works for 1 to {LONGEST.days} days")
    number, text = secrets.token_hex(16), new_token()
    with credentials.writing(access, whom, now) as door:
        if rows.count(door.connection, door.owner, now) >= MOST:
            raise TokenError(f"you have {MOST} tokens; revoke one that you do not use first")
        row = TokenRow(
            number,
            digest(text),
            access.vault.seal(whom.id, door.purpose, named.encode(), _PLACE.format(number)),
            study,
            sorted(wanted),
            door.account().session_version,
            now,
            now + lasts,
            None,
        )
        rows.add(door.connection, door.owner, row)
        return Made(_shown(access, door, row), text)


def mine(access: Access, whom: Whom, now: datetime) -> list[Token]:
    """Somebody's own tokens that work still, oldest first."""
    with credentials.reading(access, whom, now) as door:
        version = door.account().session_version
        return [
            _shown(access, door, row)
            for row in rows.of(door.connection, door.owner)
            if row.expires_at > now and row.session_version == version
        ]


def revoke(access: Access, whom: Whom, number: str, now: datetime) -> bool:
    """End a token of somebody's at once; return whether they had it."""
    with credentials.writing(access, whom, now) as door:
        return rows.remove(door.connection, door.owner, number)


def bearer(access: Access, text: str, now: datetime) -> Bearer:
    """Whose token it is. Nothing is remembered from one request to the next: what was ended is ended at once.

    A token ends with its person's sessions: when they log out everywhere, choose another password or are removed. One
    of a member is refused while their account is locked, and while a role that demands a second factor has none; a
    participant's is not, so that nobody keeps them from their own data by trying passwords.

    Raises
    ------
    TokenRefusedError
        When it opens nothing.
    """
    if not is_token(text):
        raise TokenRefusedError
    with access.database.read() as connection:
        found = rows.by_digest(connection, digest(text))
    if found is None or found[1].expires_at <= now:
        raise TokenRefusedError
    owner, row = found
    whom = credentials.by_owner(access, owner, now)
    if whom is None:
        raise TokenRefusedError
    with credentials.reading(access, whom, now) as door:
        if not _good(door, row, now):
            raise TokenRefusedError
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if row.used_on != today:
        with credentials.writing(access, whom, now) as door:
            rows.note_use(door.connection, door.owner, row.id, today)
    return Bearer(whom, row.id, row.study, frozenset(Purpose(p) for p in row.purposes))


def _good(door: Door, row: TokenRow, now: datetime) -> bool:
    account = door.account()
    if account.session_version != row.session_version:
        return False
    if not isinstance(door.whom, Member):
        return True
    if account.locked_until is not None and now < account.locked_until:
        return False
    strong = any(held & STRONG for held in door.whom.roles.values())
    kinds = {factor.kind for factor in factors.of(door.connection, door.owner)} if strong else set()
    return not strong or bool(kinds & SECOND)


def _shown(access: Access, door: Door, row: TokenRow) -> Token:
    name = access.vault.open(door.whom.id, door.purpose, row.name_sealed, _PLACE.format(row.id))
    return Token(
        row.id,
        name.decode(),
        row.study,
        frozenset(Purpose(p) for p in row.purposes),
        row.created_at,
        row.expires_at,
        row.used_on.date() if row.used_on is not None else None,
    )
