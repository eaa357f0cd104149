"""Passwords that are guessed first: those of past breaches, and those that say where they are for, or whose they are.

``common_passwords.bin`` holds, sorted, the first six bytes of the SHA-256 of each of the 10,000 most frequent passwords
with ten characters or more among ten million that were published after breaches (whence and under which licence:
decision 38). What is refused is told apart; nothing is asked about what a password is composed of.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from functools import cache
from pathlib import Path

WORDS = (
    "affecttracker",
    "affect",
    "tracker",
    "emotion",
    "feeling",
    "gefuehl",
    "gefühl",
    "participant",
    "researcher",
    "operator",
    "rater",
    "study",
    "studie",
    "password",
    "passwort",
    "kennwort",
    "welcome",
    "willkommen",
)
"""Words that say what this is or who one is to it; the name that somebody logs in with is one more."""

LEFT = 6
"""How many letters and digits of a password have to be something else than such words."""

_SHORTEST_NAME = 3
_DIGEST = 6
_LIST = Path(__file__).with_name("common_passwords.bin")


class Guess(StrEnum):
    """Why a password is among the first that somebody tries."""

    COMMON = "common"
    ABOUT = "about"


def guess(password: str, name: str) -> Guess | None:
    """Why a password would be guessed early; None where nothing speaks for that.

    Parameters
    ----------
    password
        As it was typed: upper and lower case make no difference here.
    name
        What its person logs in with.

    Examples
    --------
    >>> guess("Basketball", "ada"), guess("Affect-Tracker 2026", "ada"), guess("ada.lovelace.12", "Ada Lovelace")
    (<Guess.COMMON: 'common'>, <Guess.ABOUT: 'about'>, <Guess.ABOUT: 'about'>)
    >>> guess("correct horse battery", "ada") is None
    True
    """
    folded = password.casefold()
    if hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:_DIGEST] in _common():
        return Guess.COMMON
    bare = _bare(folded)
    left = _without(bare, name)
    # Signs alone are a password like any other: only one in which such a word stands is about something.
    return Guess.ABOUT if left != bare and len(left) < LEFT else None


def _without(left: str, name: str) -> str:
    """What remains of a password's letters and digits without our words and those of the name."""
    parts = [_bare(name), *map(_bare, name.split())]
    own = sorted({part for part in parts if len(part) >= _SHORTEST_NAME}, key=len, reverse=True)
    for word in (*own, *WORDS):
        left = left.replace(word, "")
    return left


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


@cache
def _common() -> frozenset[bytes]:
    held = _LIST.read_bytes()
    return frozenset(held[i : i + _DIGEST] for i in range(0, len(held), _DIGEST))
