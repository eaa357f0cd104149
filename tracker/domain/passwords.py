"""Passwords and one-time codes: how they are made, hashed and checked.

Passwords are hashed with Argon2id (RFC 9106, its second recommended profile: 64 MiB, three passes). Until issue 6 it
was scrypt (RFC 7914, 128 MiB); those hashes stay valid, and are made anew at the next login.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tracker.domain.guessed import Guess, guess

_ARGON2 = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_N, _R, _P = 2**17, 8, 1
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0 and 1, which are misread
SHORTEST = 10
"""The least length of a password, in characters."""


class WeakPasswordError(ValueError):
    """A password is too short, or among the first that somebody would guess.

    Attributes
    ----------
    guess
        Why it would be guessed; None where it is too short.
    """

    def __init__(self, message: str, guess: Guess | None = None) -> None:
        super().__init__(message)
        self.guess = guess


def new_code() -> str:
    """Make a one-time code: 12 characters in three groups, 60 bits.

    Examples
    --------
    >>> code = new_code()
    >>> len(code), code[4], code[9]
    (14, '-', '-')
    """
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def normalise_code(code: str) -> str:
    """Undo what people do to codes: case, blanks and missing dashes.

    Examples
    --------
    >>> normalise_code(" abcd efgh-jklm ")
    'ABCD-EFGH-JKLM'
    """
    bare = "".join(c for c in code.upper() if c.isalnum())
    return "-".join(bare[i : i + 4] for i in range(0, len(bare), 4))


def hash_code(code: str) -> str:
    """Hash a one-time code. 60 random bits need no slow hash; a salt keeps equal codes apart."""
    salt = secrets.token_bytes(16)
    return f"sha256${salt.hex()}${hashlib.sha256(salt + normalise_code(code).encode()).hexdigest()}"


def hash_password(password: str) -> str:
    """Hash a password; raise `WeakPasswordError` when it is shorter than `SHORTEST`."""
    if len(password) < SHORTEST:
        raise WeakPasswordError(f"a password has at least {SHORTEST} characters")
    return _ARGON2.hash(password)


def demand_strong(password: str, name: str) -> None:
    """Raise `WeakPasswordError` for a password that nobody should choose.

    Parameters
    ----------
    password
        As it was typed.
    name
        What its person logs in with.

    Examples
    --------
    >>> demand_strong("correct horse battery", "ada")
    >>> demand_strong("password123", "ada")
    Traceback (most recent call last):
    ...
    tracker.domain.passwords.WeakPasswordError: this password is among the first that somebody would try
    """
    if len(password) < SHORTEST:
        raise WeakPasswordError(f"a password has at least {SHORTEST} characters")
    if found := guess(password, name):
        raise WeakPasswordError("this password is among the first that somebody would try", found)


def is_outdated(stored: str) -> bool:
    """Whether a password was hashed in a way that is not used any more.

    Examples
    --------
    >>> is_outdated("scrypt$00$"), is_outdated(hash_password("correct horse battery"))
    (True, False)
    """
    return not stored.startswith("$argon2") or _ARGON2.check_needs_rehash(stored)


def matches(stored: str | None, given: str) -> bool:
    """Whether a password or code is the one that was hashed; in the same time for a missing hash.

    Examples
    --------
    >>> matches(hash_code("ABCD-EFGH-JKLM"), "abcd efgh jklm")
    True
    """
    if stored is None or stored.startswith("$argon2"):
        try:
            return _ARGON2.verify(stored or _of_nobody(), given) and stored is not None
        except VerificationError:
            return False
    kind, salt, expected = stored.split("$")
    if kind == "sha256":
        got = hashlib.sha256(bytes.fromhex(salt) + normalise_code(given).encode()).hexdigest()
    else:
        got = base64.b64encode(_scrypt(given, bytes.fromhex(salt))).decode()
    return hmac.compare_digest(got, expected)


@cache
def _of_nobody() -> str:
    """A hash to compare with where there is none, so that it takes as long."""
    return _ARGON2.hash(secrets.token_hex())


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=256 * 1024 * 1024, dklen=32)
