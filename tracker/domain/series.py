"""What a series is made of: observations, estimates, contexts, prompts and corrections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.domain.affect import Distribution

CONTEXT_HOLDS = timedelta(hours=2)
"""How long a context speaks for the moments after it."""

MACHINE = 0
"""The snapshot number of an estimate that the network itself made."""


class Reason(StrEnum):
    """Why an observation has no estimate."""

    NO_FACE = "no_face"
    AMBIGUOUS = "ambiguous"
    BLURRED = "blurred"
    OVERLOAD = "overload"
    UNCLEAR = "unclear"


class TimeSource(StrEnum):
    """Where a recording's start was taken from."""

    STATED = "stated"
    CONTAINER = "container"
    CLOCK = "clock"
    EXIF = "exif"


@dataclass(frozen=True, slots=True)
class Observation:
    """What was captured at one instant. Unique by participant, source and presentation time.

    Parameters
    ----------
    source
        SHA-256 of the recording (hex).
    pts_us
        Presentation time in the recording, microseconds.
    at
        The instant (UTC): the recording's start plus `pts_us`.
    time_source
        Where the start was taken from.
    reason
        Why there is no estimate, or None.
    faces
        How many faces were seen.
    box
        The participant's face (x, y, width, height) in pixels, or None.
    detector, score, sharpness, aligned
        How the face was found and how good the crop is.
    imported_from
        SHA-256 of the file of another program that it comes from; None: it was captured here.
    """

    source: str
    pts_us: int
    at: datetime
    time_source: TimeSource
    reason: Reason | None
    faces: int
    box: tuple[float, float, float, float] | None = None
    detector: str | None = None
    score: float | None = None
    sharpness: float | None = None
    aligned: bool | None = None
    imported_from: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one network, or one learner snapshot reading that network, says about one observation."""

    network: str
    distribution: Distribution
    snapshot: int = MACHINE


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation with its estimates."""

    observation: Observation
    estimates: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounded the face from an instant on, for at most `CONTEXT_HOLDS`.

    `key` is the random key of the answer that it is part of, or None; `imported_from` the SHA-256 of the file that it
    comes from, None where it was said here.
    """

    at: datetime
    place: str | None = None
    activity: str | None = None
    company: str | None = None
    key: str | None = None
    imported_from: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question put to a participant: when it was due, sent, opened and answered.

    Parameters
    ----------
    slot
        Its name, one of its kind for a participant: schedule, local date and number, or the event it comes after.
    state
        `tracker.domain.prompting.State`; only `advance` there changes it.
    reason
        Why it was put, where the program chose the moment (`tracker.learning.reasons`), or why it was withheld or
        cancelled (`tracker.domain.prompting.Because`); None where it was scheduled.
    random
        Whether chance chose the moment, so that its answer speaks for all such moments without bias.
    expires_at
        From when on it cannot be answered any more; None: it does not end by itself.
    reminded_at, reminders
        When it was last recalled to mind, and how often so far.
    ended_at
        When it was completed, expired, withheld or cancelled.
    pushed_at
        When a push service first took the word that it waits; None where no device is known to have been told. It does
        not say that anybody saw it.
    """

    slot: str
    scheduled_at: datetime
    notified_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    state: str
    reason: str | None = None
    random: bool = False
    expires_at: datetime | None = None
    reminded_at: datetime | None = None
    reminders: int = 0
    ended_at: datetime | None = None
    pushed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a human says about a moment.

    Parameters
    ----------
    at
        The moment (UTC).
    target
        ``"emotion"``, or another target whose answer is in `value`.
    distribution
        For ``"emotion"``.
    value
        For other targets.
    rater
        ``"participant"`` or a rater's id.
    suggestion_shown
        Whether the rater saw the machine's estimate first; biases answers, so it is kept.
    intensity
        How strong the emotion was, in (0, 1]; None where it was not said.
    response_ms
        Milliseconds from the page being shown to the answer, as the browser measured them; None where it did not.
    key
        The random key of the answer that it is part of; one answer with a key is stored once.
    imported_from
        SHA-256 of the file of another program that it comes from; None: it was said here.
    """

    at: datetime
    target: str
    distribution: Distribution | None
    value: float | None = None
    rater: str = "participant"
    suggestion_shown: bool = False
    intensity: float | None = None
    response_ms: int | None = None
    key: str | None = None
    imported_from: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One point of a timeline."""

    at: datetime
    reason: Reason | None
    machine: Distribution | None
    personal: Distribution | None
    correction: Distribution | None
    observation: int | None = None
