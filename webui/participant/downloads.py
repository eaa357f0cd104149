"""Send an archive while it is made: little memory, no file, and no snapshot of the database that is held for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from datetime import datetime

from tracker.access import Access
from tracker.domain.people import Person
from tracker.workflows.portability import stream_bundle
from webui.limits import Turns

LONGEST_S = 15 * 60.0
"""After this many seconds a download is broken off: its snapshot would keep an erasure from finishing."""


class BrokenOffError(Exception):
    """A download took too long. The browser sees it end too early, and an archive without its end opens nowhere."""


class Pieces:
    """The pieces of an archive. Whoever takes them closes it, as a WSGI server does; that frees its turn.

    Parameters
    ----------
    pieces
        From `stream_bundle`.
    turns
        Lets few be made at a time; raises `BusyError`.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, pieces: Generator[bytes], turns: Turns, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pieces, self._clock = pieces, clock
        self._until = clock() + LONGEST_S
        self._held = ExitStack()
        self._held.enter_context(turns)
        self._held.enter_context(closing(pieces))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._clock() > self._until:
            self.close()
            raise BrokenOffError(f"a download was broken off after {LONGEST_S:g} seconds")
        return next(self._pieces)

    def close(self) -> None:
        """Let go of the snapshot and of the turn; harmless when called again."""
        self._held.close()


def archive(access: Access, person: Person, now: datetime, turns: Turns) -> Pieces:
    """Begin an archive of everything about a person; raise `BusyError` when too many are being made."""
    return Pieces(stream_bundle(access, person, now), turns)
