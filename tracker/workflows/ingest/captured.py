"""What a live capture in a browser is told, and why one ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tracker.domain.affect import Distribution
from tracker.domain.series import Reason
from tracker.vision.face import Detector

if TYPE_CHECKING:
    from tracker.fer.engine import Engine

Box = tuple[float, float, float, float]

CLOCK_OFF = timedelta(minutes=2)
"""How far a device's clock may be from ours when a capture begins."""

LATE = timedelta(seconds=30)
"""How old a frame may be when it arrives."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads faces in a process that serves: one engine for all, and a detector for each thread."""

    engine: Engine
    detector: Callable[[], Detector]


class Ended(StrEnum):
    """Why a capture is over."""

    STOPPED = "stopped"
    ELSEWHERE = "elsewhere"
    IDLE = "idle"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class CaptureEndedError(Exception):
    """A frame came for a capture that is over.

    Attributes
    ----------
    ended
        Why it is over.
    cause
        Where consent ended it: what it says; else None.
    """

    def __init__(self, ended: Ended, cause: Exception | None = None) -> None:
        super().__init__(f"this capture is over ({ended.value})")
        self.ended, self.cause = ended, cause


class LookAgainError(ValueError):
    """The picture in which somebody chose their face is not the newest, too old, or has no such face."""


class ClockOffError(ValueError):
    """A device's clock is far from ours, or a frame's time is."""


class NoReaderError(Exception):
    """What reads faces cannot be loaded."""


class FullError(Exception):
    """As many people capture at once as this process takes."""


@dataclass(frozen=True, slots=True)
class Located:
    """The faces of one picture, of which somebody says which is theirs; kept nowhere but in memory.

    Attributes
    ----------
    capture
        The id under which the capture would begin.
    boxes
        (x, y, width, height) of each face as shares of the picture's width and height.
    """

    capture: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """The newest estimate that was stored: the person's own learner's where `own`, else the network's."""

    at: datetime
    distribution: Distribution
    own: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a capture stands.

    Attributes
    ----------
    taken, dropped, stored
        Frames that were looked at, frames that a newer one took the place of, and moments stored.
    reason
        Why the newest frame that was looked at is not read; None where it is, or where none was looked at yet.
    faces
        How many faces it shows.
    box
        The participant's, as shares of the picture, where it was found.
    lost
        Whether their face was out of sight for so long that they have to say again which is theirs.
    read
        The newest estimate that was stored.
    filmed, unfilmed
        Frames that were kept as video, and those that were not because their day is full.
    """

    taken: int = 0
    dropped: int = 0
    stored: int = 0
    reason: Reason | None = None
    faces: int = 0
    box: Box | None = None
    lost: bool = False
    read: Read | None = None
    filmed: int = 0
    unfilmed: int = 0


def demand_clock(device: datetime, now: datetime) -> None:
    """Refuse a device whose clock is far off: it would say of other things when they were, too.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> demand_clock(noon + timedelta(minutes=1), noon)
    >>> demand_clock(noon + timedelta(hours=3), noon)
    Traceback (most recent call last):
    ...
    tracker.workflows.ingest.captured.ClockOffError: The clock of this device is 180 minutes ahead; ...
    """
    off = device - now
    if abs(off) > CLOCK_OFF:
        minutes = round(abs(off) / timedelta(minutes=1))
        raise ClockOffError(
            f"The clock of this device is {minutes} minutes {'ahead' if off > timedelta() else 'behind'}; "
            "set it right and start again. Nothing was stored."
        )


def instant_of(device_ms: int) -> datetime:
    """Milliseconds since 1970 as an instant; what no calendar shows is its end.

    Examples
    --------
    >>> instant_of(1_772_366_400_000).isoformat()
    '2026-03-01T12:00:00+00:00'
    >>> instant_of(10**18).year
    9999
    """
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=device_ms)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
