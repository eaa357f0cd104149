"""What pages work on: it hangs on the app, and nothing is global."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, cast

from flask import current_app

from tracker.access import Access
from webui.background import Background
from webui.limits import ARCHIVES_AT_ONCE, LOGINS, PER, REQUESTS, TOLD_AGAIN, Rate, Turns

if TYPE_CHECKING:  # OpenCV is loaded with it
    from tracker.workflows.export import Shelf
    from tracker.workflows.ingest import Captures, Uploads

NAME = "affect-tracker"


@dataclass(frozen=True)
class Services:
    """What pages work on.

    Attributes
    ----------
    access
        The gate to people and their series.
    clock
        The current instant, in UTC.
    logins
        Keeps one address from trying logins without end.
    hashing
        Held while a password is checked or hashed.
    help_contact
        Whom participants ask, where that is not who the study in force says; else empty.
    archives
        Held while somebody downloads everything about themselves.
    leavings
        The same for withdrawing without a login, of its own: nobody's tries at logging in keep anybody from it.
    programs
        How often a token may ask.
    strangers
        How often an address may give a token that opens nothing.
    told
        How often it is told that a token is used.
    shelves, first
        The exports of this process, where anybody has looked at them; held while they are made.
    background
        What goes on after its request was answered.
    captures, uploads
        The live captures and the uploaded clips of this process; None where nothing reads faces.
    """

    access: Access
    clock: Callable[[], datetime]
    logins: Rate
    hashing: Turns
    help_contact: str
    archives: Turns = field(default_factory=lambda: Turns(ARCHIVES_AT_ONCE, 0.0))
    leavings: Rate = field(default_factory=lambda: Rate(LOGINS, PER))
    programs: Rate = field(default_factory=lambda: Rate(REQUESTS, PER))
    strangers: Rate = field(default_factory=lambda: Rate(LOGINS, PER))
    told: Rate = field(default_factory=lambda: Rate(1, TOLD_AGAIN))
    captures: Captures | None = None
    uploads: Uploads | None = None
    shelves: list[Shelf] = field(default_factory=list)
    first: Lock = field(default_factory=Lock)
    background: Background = field(default_factory=Background)

    @property
    def shelf(self) -> Shelf:
        """Exports that researchers asked for; made from the first time that one looks."""
        from tracker.workflows.export import Shelf  # noqa: PLC0415 - pyarrow takes a while

        with self.first:
            if not self.shelves:
                self.shelves.append(Shelf(self.access, self.clock))
            return self.shelves[0]

    def close(self) -> None:
        """End what goes on in the background."""
        self.background.close()
        for shelf in self.shelves:
            shelf.close()
        if self.uploads is not None:
            self.uploads.close()
        if self.captures is not None:
            self.captures.close()


def services() -> Services:
    """What the current app works on."""
    return cast(Services, current_app.extensions[NAME])
