"""Names that say nothing without their key: keyed pseudonyms (HMAC-SHA-256, 80 bits)."""

from __future__ import annotations

import hashlib
import hmac


def pseudonym(key: bytes, letter: str, kind: str, text: str) -> str:
    """A name for something under a key: nobody without the key can link or guess it.

    Parameters
    ----------
    key
        Another key gives other names, which cannot be matched with these.
    letter
        What the name begins with.
    kind, text
        What is named; two kinds of things with the same text have different names.

    Examples
    --------
    >>> one, other = pseudonym(b"a key", "r", "rater", "7f"), pseudonym(b"another", "r", "rater", "7f")
    >>> one == pseudonym(b"a key", "r", "rater", "7f"), one == other, len(one)
    (True, False, 21)
    """
    digest = hmac.new(key, f"{kind}|{text}".encode(), hashlib.sha256).hexdigest()
    return letter + digest[:20]


def rater_name(key: bytes, rater: str) -> str:
    """What a rater is called under a key.

    Examples
    --------
    >>> rater_name(b"a key", "7f")[0]
    'r'
    """
    return pseudonym(key, "r", "rater", rater)
