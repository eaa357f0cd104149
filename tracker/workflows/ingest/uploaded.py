"""A clip that somebody uploads: its bytes as far as they came, in memory alone, and what became of it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from enum import StrEnum

from tracker.domain.people import Person
from tracker.vision import containers
from tracker.vision.errors import MediaError
from tracker.workflows.ingest.plan import Tracked

_HEAD = 400
"""Bytes from which a clip's kind is known."""


class Stage(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"
    COMPLETE = "complete"
    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


class UploadGoneError(LookupError):
    """There is no such upload of this person any more: it was read, discarded, or waited too long."""


class UploadBusyError(ValueError):
    """The upload does not take this at its stage: it is not whole yet, or is being read."""


class NotAClipError(MediaError):
    """The bytes begin no video that is read."""


class ClipTooLargeError(MediaError):
    """A clip is larger than is taken, or than was said."""


class OffsetError(ValueError):
    """A piece does not go on where the last one ended.

    Attributes
    ----------
    offset
        Where it goes on.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(f"the next piece begins at byte {offset}")
        self.offset = offset


@dataclass
class Upload:
    """A clip on its way in.

    Attributes
    ----------
    id, person
        Its random id, and whose clip it is.
    key
        What the page knows the file by, so that it goes on after a break and does not begin anew.
    size
        Bytes in all.
    heard_at
        When something was last heard of it, in monotonic seconds.
    share
        How much of it was read, from 0 to 1.
    result
        What was seen and stored so far.
    problem
        Why it failed, or why it could not be read yet.
    """

    id: str
    person: Person
    key: str
    size: int
    heard_at: float
    stage: Stage = Stage.RECEIVING
    share: float = 0.0
    result: Tracked = field(default_factory=Tracked)
    problem: Exception | None = None
    discarded: bool = False
    stream: io.BytesIO = field(default_factory=io.BytesIO)

    @property
    def offset(self) -> int:
        """How many bytes came."""
        return self.stream.getbuffer().nbytes

    def add(self, offset: int, piece: bytes) -> int:
        """Append a piece; one that came before adds nothing. Returns where the next one begins.

        Raises
        ------
        OffsetError
            When the piece begins elsewhere.
        ClipTooLargeError
            When there would be more bytes than were said.
        NotAClipError
            When the first piece begins no video.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from tracker.domain.people import Person
        >>> ada = Person("p", "ada", "s", "UTC", False, datetime(2026, 3, 1, tzinfo=UTC), None)
        >>> clip = Upload("u", ada, "k", 500, 0.0)
        >>> clip.add(0, b"RIFF1234AVI " + bytes(388)), clip.add(400, bytes(100)), clip.stage.value
        (400, 500, 'complete')
        """
        here = self.offset
        if offset + len(piece) <= here and self.stream.getbuffer()[offset : offset + len(piece)] == piece:
            return here
        if offset != here:
            raise OffsetError(here)
        if here + len(piece) > self.size:
            raise ClipTooLargeError("More came than was said; choose the clip again.")
        if here == 0 and containers.sniff(piece[:_HEAD]) is None:
            raise NotAClipError("This is no video that is read; choose MP4, MOV, MKV, WebM or AVI.")
        self.stream.seek(0, io.SEEK_END)
        self.stream.write(piece)
        if self.offset == self.size:
            self.stage = Stage.COMPLETE
        return self.offset

    def drop(self) -> None:
        """Let go of the bytes."""
        self.stream = io.BytesIO()
