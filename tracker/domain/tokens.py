"""Tokens with which programs ask in somebody's name: for stated purposes alone, and never more than they may."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from tracker.domain.members import Role
from tracker.domain.texts import unkeepable

PREFIX = "aff_"
"""How every token begins: programs that look for leaked secrets find it, and ``PATTERN`` tells them the rest."""

PATTERN = r"aff_[0-9A-Za-z]{49}"
"""A token: `PREFIX`, 43 characters for 256 random bits, 6 for a checksum. It is one word where words are chosen."""

LONGEST = timedelta(days=365)
"""No token works for longer; one that is forgotten ends by itself."""

USUAL = timedelta(days=90)
"""For how long a token works unless somebody says otherwise."""

MOST = 20
"""Tokens that somebody has at a time: more than that nobody oversees."""

LONGEST_NAME = 40

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE = re.compile(PATTERN)
_RANDOM, _CHECK = 43, 6


class TokenError(ValueError):
    """A token cannot be made as asked."""


class Purpose(StrEnum):
    """What a token is for. None implies another."""

    TIMELINE = "timeline"
    ANSWERS = "answers"
    CAPTURE = "capture"
    CONSENT = "consent"
    GRANTS = "grants"
    HIDING = "hiding"
    ARCHIVE = "archive"
    ERASURE = "erasure"
    RATING = "rating"
    ADJUDICATION = "adjudication"
    MONITOR = "monitor"
    STUDIES = "studies"
    APPLYING = "applying"
    EXPORTS = "exports"


ROLES_OF: dict[Purpose, frozenset[Role]] = {
    Purpose.TIMELINE: frozenset({Role.PARTICIPANT}),
    Purpose.ANSWERS: frozenset({Role.PARTICIPANT}),
    Purpose.CAPTURE: frozenset({Role.PARTICIPANT}),
    Purpose.CONSENT: frozenset({Role.PARTICIPANT}),
    Purpose.GRANTS: frozenset({Role.PARTICIPANT, Role.RATER}),
    Purpose.HIDING: frozenset({Role.PARTICIPANT}),
    Purpose.ARCHIVE: frozenset({Role.PARTICIPANT, Role.RATER}),
    Purpose.ERASURE: frozenset({Role.PARTICIPANT, Role.RATER}),
    Purpose.RATING: frozenset({Role.RATER}),
    Purpose.ADJUDICATION: frozenset({Role.RESEARCHER}),
    Purpose.MONITOR: frozenset({Role.RESEARCHER}),
    Purpose.STUDIES: frozenset({Role.RESEARCHER, Role.OPERATOR}),
    Purpose.APPLYING: frozenset({Role.OPERATOR}),
    Purpose.EXPORTS: frozenset({Role.RESEARCHER}),
}
"""Who can have a token for a purpose; which of its endpoints each role may ask for is told by `webui.roles`."""

THEIR_OWN = frozenset({Purpose.GRANTS})
"""Purposes of which nobody makes a token for somebody else: what is allowed with one is its person's own word."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its person sees it; what it says itself is shown once, when it is made.

    Parameters
    ----------
    id
        Random; to revoke it by.
    name
        What its person calls it.
    study
        The id of the only study that it is good for.
    purposes
        What it is for.
    created_at, expires_at
        From when and until when it works (UTC).
    used_on
        The last day (UTC) on which it was used; None where it never was.
    """

    id: str
    name: str
    study: str
    purposes: frozenset[Purpose]
    created_at: datetime
    expires_at: datetime
    used_on: date | None = None


def new_token() -> str:
    """Make a token.

    Examples
    --------
    >>> made = new_token()
    >>> is_token(made), made.startswith(PREFIX)
    (True, True)
    """
    random = _written(secrets.randbits(256), _RANDOM)
    return f"{PREFIX}{random}{_checksum(random)}"


def is_token(text: str) -> bool:
    """Whether a text can be a token: its shape and its checksum are right. No database is asked for one that cannot.

    Examples
    --------
    >>> is_token(new_token()[:-1]), is_token("aff_" + "a" * 49)
    (False, False)
    """
    if not _SHAPE.fullmatch(text):
        return False
    return _checksum(text[len(PREFIX) : -_CHECK]) == text[-_CHECK:]


def digest(token: str) -> str:
    """What a token is found by: 256 random bits need neither salt nor slow hash.

    Examples
    --------
    >>> len(digest(new_token()))
    64
    """
    return hashlib.sha256(token.encode()).hexdigest()


def checked_name(name: str) -> str:
    """What somebody calls a token: 1 to `LONGEST_NAME` characters.

    Examples
    --------
    >>> checked_name("  my  watch ")
    'my watch'

    Raises
    ------
    TokenError
        When it is empty, too long or no text.
    """
    named = " ".join(name.split())
    if not named or len(named) > LONGEST_NAME:
        raise TokenError(f"a token has a name of 1 to {LONGEST_NAME} characters, so that you know it again")
    if found := unkeepable(named):
        raise TokenError(f"the name of a token holds {found}, which no text has; leave it out")
    return named


def possible(roles: Iterable[Role]) -> tuple[Purpose, ...]:
    """The purposes that somebody with these roles can have a token for.

    Examples
    --------
    >>> [purpose.value for purpose in possible([Role.RATER])]
    ['grants', 'archive', 'erasure', 'rating']
    """
    held = frozenset(roles)
    return tuple(purpose for purpose in Purpose if ROLES_OF[purpose] & held)


def checked_purposes(purposes: Iterable[Purpose], roles: Iterable[Role]) -> frozenset[Purpose]:
    """The purposes of a token, if each is one that somebody with these roles can have.

    Raises
    ------
    TokenError
        When there is none, or one that their roles do not allow.
    """
    wanted, held = frozenset(purposes), frozenset(roles)
    if not wanted:
        raise TokenError("a token is for something: name at least one purpose")
    for purpose in Purpose:
        if purpose in wanted and not ROLES_OF[purpose] & held:
            needed = " or ".join(sorted(ROLES_OF[purpose]))
            raise TokenError(f"a token for {purpose.value} is for a {needed} of this study")
    return wanted


def _checksum(random: str) -> str:
    return _written(zlib.crc32(random.encode()), _CHECK)


def _written(number: int, places: int) -> str:
    """A number in base 62, with so many places."""
    digits = []
    for _ in range(places):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
