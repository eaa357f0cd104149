"""The values that recordings are made of: a source, its frames, and the stream that gives them."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something that gives frames.

    Attributes
    ----------
    kind
        What it is.
    name
        What to call it in a message or a row: a file's or folder's name, or ``camera:0``.
    path
        Where it lies; None for a camera.
    sha256
        Of the content: of the file's bytes, or, for a folder, of its pictures' names and bytes, so that
        the same recording is known again under another name. None for a camera: a live recording has no
        content to hash beforehand, and the caller makes an identity for each.
    created_at
        The instant (UTC) of the first frame as the file itself states it; None where it does not, or
        states a local time without its offset, which is no instant.
    time_source
        Where `created_at` comes from: ``"container"`` (an MP4's or QuickTime file's ``mvhd``, Matroska's
        ``DateUTC``) or ``"exif"``.
    frame_count, duration_s
        The container's own figures, for progress only; None where unknown.
    camera
        The number of the camera.
    stream
        What holds a recording that lies in no file: an upload's bytes in memory.
    """

    kind: Literal["video", "folder", "image", "camera"]
    name: str
    path: Path | None = None
    sha256: str | None = None
    created_at: datetime | None = None
    time_source: Literal["container", "exif"] | None = None
    frame_count: int | None = None
    duration_s: float | None = None
    camera: int | None = None
    stream: io.BytesIO | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and when it was shown.

    Attributes
    ----------
    pixels
        (H, W, 3) uint8 RGB, upright.
    pts_us
        Presentation time in microseconds since the first picture of the recording.
    """

    pixels: Pixels
    pts_us: int


class Frames(Iterator[Frame]):
    """A stream of frames that holds one at a time.

    A context manager: leaving it lets go of the file or the camera at once.

    Attributes
    ----------
    problem
        None until the stream has ended, and None then too if it ended well; else one line that says what
        was wrong with the rest of the recording. The frames given before it are sound.
    """

    def __init__(self, frames: Generator[Frame, None, str | None]) -> None:
        self._frames = frames
        self.problem: str | None = None

    def __next__(self) -> Frame:
        try:
            return next(self._frames)
        except StopIteration as end:
            self.problem = self.problem or end.value
            raise

    def close(self) -> None:
        """Let go of the file or the camera."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Sampling:
    """Which frames to take: the first at or after each multiple of `every` seconds.

    A gap longer than `every` (a variable frame rate, a pause) gives no frame twice, and a frame whose
    time does not advance is not taken.

    Examples
    --------
    >>> taken = Sampling(every=0.2)
    >>> [t for t in (0, 150_000, 210_000, 390_000, 400_000, 1_010_000, 1_150_000) if taken.due(t)]
    [0, 210000, 400000, 1010000]
    """

    def __init__(self, every: float) -> None:
        if not 0.001 <= every <= 86_400:
            raise ValueError(f"every must be from 0.001 s to a day, not {every}")
        self.step_us = round(every * 1_000_000)
        self._next_us = 0

    def due(self, pts_us: int) -> bool:
        """Say whether the frame at this time is one to take, and if so wait for the next multiple."""
        if pts_us < self._next_us:
            return False
        self._next_us = (pts_us // self.step_us + 1) * self.step_us
        return True
