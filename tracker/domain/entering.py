"""Ways in beside a password: passkeys, authenticator apps, recovery codes, links; and how a sign-in is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What somebody logs in with beside a password."""

    PASSKEY = "passkey"
    APP = "app"
    CODE = "code"


SECOND = frozenset({Kind.PASSKEY, Kind.APP})
"""What counts as a second factor; recovery codes are for whoever lost theirs."""


class How(StrEnum):
    """How somebody signed in."""

    PASSWORD = "password"
    ONE_TIME_CODE = "one_time_code"
    INVITATION = "invitation"
    PASSKEY = "passkey"
    APP = "app"
    RECOVERY_CODE = "recovery_code"
    DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Factor:
    """A passkey or an authenticator app, as its person sees it."""

    id: str
    kind: Kind
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey with what checks its signatures.

    Attributes
    ----------
    id
        The number of its row.
    credential
        What the browser calls it.
    public_key
        COSE key, as the authenticator gave it.
    counter
        The last one that was accepted; 0 for those that count nothing.
    name
        What its person calls it.
    """

    id: str
    credential: bytes
    public_key: bytes
    counter: int
    name: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in of one's own.

    Attributes
    ----------
    number
        Of its row.
    at, how, browser
        When, how, and with what kind of browser.
    ended
        Whether its session was ended before its time.
    """

    number: int
    at: datetime
    how: How
    browser: str
    ended: bool


# The first that fits: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edge", r"Edg\w*/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone or iPad", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def browser(agent: str) -> str:
    """The kind of browser and system that a user agent names; versions and devices are nobody's business.

    Examples
    --------
    >>> browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox, Linux'
    >>> browser("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML) Chrome/140.0 Mobile Safari/537.36")
    'Chrome, Android'
    >>> browser("curl/8.0"), browser("")
    ('', '')
    """
    found = (
        next((name for name, pattern in known if re.search(pattern, agent)), None)
        for known in (_BROWSERS, _SYSTEMS)
    )
    return ", ".join(name for name in found if name is not None)
