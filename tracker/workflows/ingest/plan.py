"""How a recording is tracked, when it began, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tracker.domain.affect import Emotion
from tracker.domain.instants import CLOCK_TOLERANCE, InstantError, require_past
from tracker.domain.series import Reason, TimeSource
from tracker.store.series import Known
from tracker.vision.recording import Source


class StartUnknownError(ValueError):
    """Nothing says when a recording began."""


class BrokeOffError(Exception):
    """A recording ended before its end; what came before was stored."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a recording is tracked.

    Parameters
    ----------
    every
        Seconds between frames taken.
    started_at
        When the recording began (UTC); None takes what the file says.
    confirm_first_face
        The face of the first frame is the participant's: for recordings in which others appear.
    keep_crops
        Whether the crops that are read are kept, sealed, where the participant allows it; else they are dropped
        whatever is allowed.
    keep_video
        The same for the covered frames of the recording.
    """

    every: float = 0.2
    started_at: datetime | None = None
    confirm_first_face: bool = False
    keep_crops: bool = True
    keep_video: bool = True


@dataclass
class Tracked:
    """What a run saw and stored.

    Attributes
    ----------
    observations
        Moments of this recording that are stored now, by this run or an earlier one.
    added
        Those that this run added.
    with_face
        Those in which the participant's face was read.
    estimates
        Estimates of the network that this run added.
    crops
        Face crops that this run kept, sealed.
    frames, frames_over
        Covered frames that this run kept, sealed, and those that it dropped because their day was full.
    reasons
        How many moments have no estimate, by reason.
    problem
        Why the recording broke off, or None.
    unread
        Emotions that the network does not know: their probability is 0 because nobody looked.
    """

    observations: int = 0
    added: int = 0
    with_face: int = 0
    estimates: int = 0
    crops: int = 0
    frames: int = 0
    frames_over: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    problem: str | None = None
    unread: tuple[Emotion, ...] = ()

    def count(self, reason: Reason | None) -> None:
        """Count one moment."""
        self.observations += 1
        if reason is None:
            self.with_face += 1
        else:
            self.reasons[reason] += 1


def start_of(source: Source, plan: Plan, now: datetime) -> tuple[datetime, TimeSource]:
    """The instant at which a recording began, and who says so; never a guess."""
    if plan.started_at is not None:
        return require_past(plan.started_at, now), TimeSource.STATED
    if source.kind == "camera":
        return now, TimeSource.CLOCK
    if source.created_at is None:
        raise StartUnknownError(
            f"{source.name} does not say when it was recorded; say it: --started-at 2026-03-01T09:30:00+01:00"
        )
    return require_past(source.created_at, now), TimeSource(source.time_source or "container")


def demand_same_start(start: datetime, source: Source, known: Iterable[Known]) -> None:
    """Refuse another start for a recording that is stored: its instants are facts by now."""
    # An observation never changes: under another start its estimates would speak of another moment.
    before = next((k.at - timedelta(microseconds=k.pts_us) for k in known), start)
    if before != start:
        raise InstantError(
            f"{source.name} is stored already, as begun at {before.isoformat()}, not at {start.isoformat()}; "
            "give that as --started-at, or erase the series first"
        )


def demand_ended(start: datetime, source: Source, now: datetime) -> None:
    """Refuse a recording that would end in the future."""
    length = timedelta(seconds=source.duration_s or 0.0)
    if source.kind != "camera" and start + length > now + CLOCK_TOLERANCE:
        raise InstantError(
            f"{source.name} would end at {(start + length).isoformat()}, in the future; check --started-at"
        )


def summary(result: Tracked) -> Mapping[str, object]:
    """The result under the names that the command line prints."""
    return {
        "observations": result.observations,
        "added": result.added,
        "with_face": result.with_face,
        "estimates": result.estimates,
        "crops": result.crops,
        "frames": result.frames,
        "frames_over": result.frames_over,
        "reasons": {reason.value: result.reasons[reason] for reason in Reason},
        "unread": [emotion.value for emotion in result.unread],
    }
