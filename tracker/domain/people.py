"""The people: a participant as the software knows them while it serves them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime

_NAME = re.compile(r"[^\x00-\x1f\x7f/]{1,64}")


class UnknownParticipantError(LookupError):
    """Nobody of this name is enrolled here.

    Parameters
    ----------
    name
        As it was typed.
    remedy
        What to do, where it is not the usual: look how it is spelt, or enrol them.
    """

    def __init__(self, name: str, remedy: str | None = None) -> None:
        usual = (
            "check the spelling (capital letters count), or enrol them: "
            f"affect-tracker enrol {shlex.quote(name)} --zone Europe/Berlin"
        )
        super().__init__(f"nobody called {name!r} is enrolled here; {remedy or usual}")


class EnrolmentError(ValueError):
    """A participant cannot be enrolled or confirmed as asked."""


@dataclass(frozen=True, slots=True)
class Person:
    """A participant, with what is sealed in the database opened for this process.

    Parameters
    ----------
    id
        Random id in the participants table.
    name
        The name that the operator gave them; sealed at rest.
    subject
        Random id on which the series rows hang; sealed at rest.
    zone
        Their IANA time zone now.
    simulated
        Whether they are a simulation, and everything about them is to be marked so.
    paused_at
        Since when they have paused capture, or None.
    """

    id: str
    name: str
    subject: str
    zone: str
    simulated: bool
    enrolled_at: datetime
    paused_at: datetime | None


def require_name(name: str) -> str:
    """Return a usable participant name: 1 to 64 characters, no control characters, no slash.

    Examples
    --------
    >>> require_name("demo face (no consent involved)")
    'demo face (no consent involved)'
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise EnrolmentError(
            f"{name!r} cannot be a name; use 1 to 64 characters, no slash, no blank at either end"
        )
    return name
