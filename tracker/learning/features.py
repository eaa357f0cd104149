"""What a learner sees of one moment: the network's reading of the face, the clock, and the context.

Pure: the same moment gives the same features, so they can be stored when a correction is learned and
replayed later, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.instants import require_instant

MAX_CONTEXT_AGE_S = 2 * 3600.0
"""A context older than this, in seconds, says nothing about now and is left out."""

FLOOR = 1e-8
"""The least probability a reading keeps: its logarithm is finite, and eight of them still sum to 1e-7."""

LOG_P = "log_p="
"""Prefix of the eight features that carry the network's calibrated log-probabilities."""

LOG_P_KEYS: tuple[str, ...] = tuple(f"{LOG_P}{emotion}" for emotion in EMOTIONS)


@dataclass(frozen=True, slots=True)
class Reading:
    """A network's calibrated reading of one face, as log-probabilities in the order of `EMOTIONS`.

    Make one with `Reading.of` or `Reading.from_log_probabilities`: both floor and normalise.
    """

    log_probabilities: tuple[float, ...]

    @classmethod
    def of(cls, distribution: Distribution) -> Reading:
        """Take a calibrated distribution; zeros are floored so that every logarithm is finite.

        Examples
        --------
        >>> from tracker.domain.affect import Emotion
        >>> Reading.of(Distribution.of({Emotion.HAPPINESS: 1.0})).log_probabilities[0] > -19
        True
        """
        floored = [max(p, FLOOR) for p in distribution.probabilities]
        total = math.fsum(floored)
        return cls(tuple(math.log(p / total) for p in floored))

    @classmethod
    def from_log_probabilities(cls, values: Sequence[float]) -> Reading:
        """Take eight calibrated log-probabilities (nats); minus infinity is allowed and floored.

        Raises
        ------
        ValueError
            When their exponentials do not sum to one within 1e-3: logits, for instance.
        """
        shares = [math.exp(min(float(v), 1.0)) for v in values]
        if not abs(math.fsum(shares) - 1.0) <= 1e-3:
            raise ValueError(
                f"log-probabilities whose exponentials sum to {math.fsum(shares):.4g}, not 1: "
                "apply the head's temperature and log-softmax first"
            )
        return cls.of(Distribution.from_sequence(shares))


@dataclass(frozen=True, slots=True)
class ContextAt:
    """The context in force at a moment, joined as of: the latest one recorded before it.

    Parameters
    ----------
    place, activity, company
        Categories in the study's own words, or None where nobody said.
    age_s
        Seconds since it was recorded. Older than two hours, or None, and the whole context is absent.
    """

    place: str | None = None
    activity: str | None = None
    company: str | None = None
    age_s: float | None = None

    def __post_init__(self) -> None:
        if self.age_s is not None and not self.age_s >= 0:
            raise ValueError(f"context age {self.age_s} s is not >= 0: a context never comes from the future")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as the person lives it: the local clock, the day of the week, and the context.

    Parameters
    ----------
    hour
        Local time of day in hours, [0, 24).
    weekday
        0 is Monday, 6 is Sunday.
    context
        What surrounded the face.
    """

    hour: float
    weekday: int
    context: ContextAt = ContextAt()

    def __post_init__(self) -> None:
        if not 0.0 <= self.hour < 24.0:
            raise ValueError(f"local hour {self.hour} is not in [0, 24)")
        if self.weekday not in range(7):
            raise ValueError(f"weekday {self.weekday} is not 0 (Monday) to 6 (Sunday)")

    @classmethod
    def at(cls, instant: datetime, zone: ZoneInfo, context: ContextAt | None = None) -> Moment:
        """Read the person's own clock at an instant.

        Examples
        --------
        >>> from datetime import UTC
        >>> Moment.at(datetime(2025, 7, 5, 10, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin")).hour
        12.5

        Raises
        ------
        InstantError
            When `instant` is naive.
        """
        local = require_instant(instant).astimezone(zone)
        hour = local.hour + local.minute / 60 + local.second / 3600
        return cls(hour=hour, weekday=local.weekday(), context=context or ContextAt())


def features(reading: Reading | None, moment: Moment) -> dict[str, float]:
    """Turn one moment into named numbers, each in [-1, 1] but for the log-probabilities.

    Parameters
    ----------
    reading
        What the network read, or None where no face was near: the learner then starts from uniform.
    moment
        The local clock and the context.

    Examples
    --------
    >>> sorted(features(None, Moment(6.0, 5, ContextAt(place="home", age_s=1800.0))))
    ['context_age', 'day=weekend', 'hour_cos', 'hour_sin', 'place=home', 'unread']
    """
    named: dict[str, float] = {}
    if reading is None:
        named["unread"] = 1.0
    else:
        named.update(zip(LOG_P_KEYS, reading.log_probabilities, strict=True))
        named["read"] = 1.0
    angle = 2 * math.pi * moment.hour / 24
    named["hour_sin"] = math.sin(angle)
    named["hour_cos"] = math.cos(angle)
    named["day=weekend" if moment.weekday >= 5 else "day=weekday"] = 1.0
    named.update(_context_features(moment.context))
    return named


def _context_features(context: ContextAt) -> dict[str, float]:
    said = {"place": context.place, "activity": context.activity, "company": context.company}
    said_keys = [f"{name}={value}" for name, value in said.items() if value]
    if not said_keys or context.age_s is None or context.age_s > MAX_CONTEXT_AGE_S:
        return {}
    return {**dict.fromkeys(said_keys, 1.0), "context_age": context.age_s / MAX_CONTEXT_AGE_S}
