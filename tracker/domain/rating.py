"""What a rater says about a face that is not their own, and what the people who ask them may count on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from tracker.domain.affect import Distribution

LEASE = timedelta(minutes=15)
"""For how long an item is kept for whom it was given to; afterwards somebody else may have it."""

GRACE = timedelta(hours=12)
"""For how long after that an answer still counts which waited on the page for a connection or a new session."""

REOPENED = 10
"""How many of their last decisions a rater can open again."""

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LONGEST = timedelta(hours=12)


class RatingError(ValueError):
    """A vote, a trace or a decision that cannot be: the sentence says what is wrong with it."""


class Verdict(StrEnum):
    """What kind of answer it is: an emotion, or why there is none."""

    EMOTION = "emotion"
    CANNOT_TELL = "cannot_tell"
    NOT_A_FACE = "not_a_face"
    UNCOMFORTABLE = "uncomfortable"
    UNDONE = "undone"

    @property
    def counts(self) -> bool:
        """Whether it says something about the face; who is uncomfortable or takes a word back says nothing."""
        return self not in (Verdict.UNCOMFORTABLE, Verdict.UNDONE)


class Because(StrEnum):
    """Why an item is shown now."""

    UNSURE = "unsure"
    WAITED = "waited"
    CHANCE = "chance"
    REOPENED = "reopened"

    @property
    def words(self) -> str:
        """The reason as a rater reads it; a test item has one of the same."""
        return _WORDS[self]


_WORDS: Mapping[Because, str] = MappingProxyType(
    {
        Because.UNSURE: "The network is unsure about this face, so your word teaches most here.",
        Because.WAITED: "Nobody has said anything about a moment like this for a while.",
        Because.CHANCE: "Drawn at random, so that the figures of this study stay fair.",
        Because.REOPENED: "You opened it again; what you say now replaces what you said.",
    }
)


@dataclass(frozen=True, slots=True)
class Ballot:
    """One answer of a rater to one item, before it is stored.

    Parameters
    ----------
    verdict
        What kind of answer; `Verdict.UNDONE` is said by taking back, never by answering.
    key
        Made by the page for this one decision: sent twice, it is stored once.
    shown_at
        When the item was shown (UTC).
    response_ms
        From then to the answer, in milliseconds; None where it is not known. Both times are kept only of raters who
        agreed to be timed.
    distribution
        With `Verdict.EMOTION`: one emotion, or two for a mixed state (`Distribution.said`); else None.
    valence, arousal
        In [-1, 1], where the rater said them too.
    suggestion_shown
        Whether the network's estimate was visible before the answer: it biases answers, so it is kept.
    visible_ms
        How long the item took to be visible, measured in the browser.

    Raises
    ------
    RatingError
        When these do not go together.

    Examples
    --------
    >>> from datetime import UTC
    >>> from tracker.domain.affect import Emotion
    >>> shown = datetime(2026, 3, 20, tzinfo=UTC)
    >>> Ballot(Verdict.EMOTION, "decision-1", shown, 900, Distribution.said(Emotion.FEAR)).distribution.top.value
    'fear'
    >>> Ballot(Verdict.EMOTION, "decision-2", shown, 900)
    Traceback (most recent call last):
    ...
    tracker.domain.rating.RatingError: an emotion is said with a distribution, and nothing else is
    """

    verdict: Verdict
    key: str
    shown_at: datetime
    response_ms: int | None
    distribution: Distribution | None = None
    valence: float | None = None
    arousal: float | None = None
    suggestion_shown: bool = False
    visible_ms: int | None = None

    def __post_init__(self) -> None:
        if self.verdict is Verdict.UNDONE:
            raise RatingError("an answer is taken back with undo, not by answering")
        if (self.verdict is Verdict.EMOTION) != (self.distribution is not None):
            raise RatingError("an emotion is said with a distribution, and nothing else is")
        demand_key(self.key)
        if self.shown_at.tzinfo is None:
            raise RatingError(f"{self.shown_at.isoformat()} names no time zone; send UTC")
        for name, value in (("valence", self.valence), ("arousal", self.arousal)):
            if value is not None and not (math.isfinite(value) and -1 <= value <= 1):
                raise RatingError(f"{name} is {value}; it lies between -1 and 1")
        for name, value in (("response_ms", self.response_ms), ("visible_ms", self.visible_ms)):
            if value is not None and not 0 <= value <= _LONGEST / timedelta(milliseconds=1):
                raise RatingError(f"{name} is {value}; it lies between 0 and twelve hours")


class Dimension(StrEnum):
    """What a continuous trace follows."""

    VALENCE = "valence"
    AROUSAL = "arousal"


MOST_SAMPLES = 20_000
"""Of one trace: eleven minutes at 30 a second."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of a trace: the instant of what was on the screen, the value held then, and which moment it was.

    Parameters
    ----------
    at
        The instant in the recording (UTC).
    value
        In [-1, 1].
    observation
        The moment that was shown; None where none was.
    """

    at: datetime
    value: float
    observation: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """A continuous rating of a series, as it was drawn: raw, with its lag beside.

    Parameters
    ----------
    dimension
        What was followed.
    samples
        In order of time.
    lag_s
        By how many seconds the rater's hand is held to come after what was seen. It is applied when the trace is
        read, never when it is stored (Mariooryad & Busso 2015 found 1 to 6 s).
    key
        As of a `Ballot`.

    Raises
    ------
    RatingError
        When it is empty, too long, out of order or out of range.
    """

    dimension: Dimension
    samples: tuple[Sample, ...]
    lag_s: float
    key: str

    def __post_init__(self) -> None:
        demand_key(self.key)
        if not 0 < len(self.samples) <= MOST_SAMPLES:
            raise RatingError(f"a trace has 1 to {MOST_SAMPLES} samples, not {len(self.samples)}")
        if not (math.isfinite(self.lag_s) and 0 <= self.lag_s <= 10):
            raise RatingError(f"the lag is {self.lag_s} s; it lies between 0 and 10")
        before: datetime | None = None
        for at, value in ((sample.at, sample.value) for sample in self.samples):
            if at.tzinfo is None:
                raise RatingError(f"{at.isoformat()} names no time zone; send UTC")
            if before is not None and at < before:
                raise RatingError("the samples of a trace are in order of time")
            if not (math.isfinite(value) and -1 <= value <= 1):
                raise RatingError(f"a sample is {value}; it lies between -1 and 1")
            before = at

    def aligned(self) -> tuple[Sample, ...]:
        """The samples moved to what they are held to answer: each `lag_s` earlier, without the moment shown.

        Examples
        --------
        >>> from datetime import UTC
        >>> at = datetime(2026, 3, 20, 12, 0, 2, tzinfo=UTC)
        >>> Trace(Dimension.VALENCE, (Sample(at, 0.5),), 2.0, "a-trace-1").aligned()[0].at.second
        0
        """
        lag = timedelta(seconds=self.lag_s)
        return tuple(Sample(sample.at - lag, sample.value) for sample in self.samples)


def demand_key(key: str) -> None:
    """Raise `RatingError` for what is no key of a decision."""
    if not _KEY.fullmatch(key):
        raise RatingError("the key of a decision is 8 to 64 letters, digits, - or _")
