"""What the server gives, as values of the domain where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.consent import Scope
from tracker.domain.series import Moment, Reason

_ORDER = tuple(emotion.value for emotion in EMOTIONS)


@dataclass(frozen=True, slots=True)
class Self:
    """Whose token it is, and what for: `kind` is ``participant`` or ``member``."""

    kind: str
    name: str
    study: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    zone: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer did: ids of what was kept, by target; scopes for want of which a part was left out."""

    at: datetime
    words: Mapping[str, int]
    context: bool
    noted: bool
    left_out: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did: what the network reads there, and what the learner said before and says now."""

    id: int
    at: datetime
    network: Distribution | None
    before: Distribution | None
    after: Distribution | None
    superseded: int | None
    noted: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept sealed of a moment: whether a picture, one's own words, and whether more of these may be."""

    picture: bool
    note: str | None
    may_note: bool


@dataclass(frozen=True, slots=True)
class Waits:
    """A question that can be answered now."""

    id: int
    schedule: str
    scheduled_at: datetime
    started: bool
    ends_at: datetime | None
    asks: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what became of it."""

    id: int
    schedule: str
    scheduled_at: datetime
    notified_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a scope stands, and why."""

    scope: str
    title: str
    in_force: bool
    why: str
    confirmed: bool
    covers_from: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How a capture fares: frames taken, dropped and stored; why the newest was not read, or what it said."""

    taken: int
    dropped: int
    stored: int
    faces: int
    lost: bool
    reason: Reason | None
    at: datetime | None
    looks: Distribution | None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where an upload stands."""

    id: str
    stage: str
    offset: int
    size: int
    largest_piece: int
    share: float
    stored: int
    known: int
    read: int
    problem: str | None
    ask_start: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A face to rate."""

    id: str
    because: str
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """One key on which two studies differ."""

    place: tuple[str, ...]
    before: Any
    after: Any
    told: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a study file is sound; each problem with its line and field."""

    sound: bool
    problems: tuple[str, ...]
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Registered:
    """A dataset that was exported; `outdated_at` says since when somebody in it has withdrawn."""

    id: str
    at: datetime
    created_at: datetime
    public: bool
    formats: tuple[str, ...]
    participants: int
    outdated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportJob:
    """An export that is being made (`stage` ``running``), is done, or has failed for a reason."""

    id: str
    stage: str
    share: float
    began_at: datetime
    export: str
    size: int
    problem: str


def instant(text: str | None) -> datetime | None:
    """An instant as the server writes it.

    Examples
    --------
    >>> instant("2026-03-01T10:00:00+00:00")
    datetime.datetime(2026, 3, 1, 10, 0, tzinfo=datetime.timezone.utc)
    """
    return None if text is None else datetime.fromisoformat(text)


def demanded(text: str) -> datetime:
    """An instant that is always there."""
    return datetime.fromisoformat(text)


def distribution(said: Mapping[str, float | None] | None) -> Distribution | None:
    """A distribution as the server writes it; the one order is kept, whatever the order of the keys.

    Examples
    --------
    >>> from tracker.domain.affect import Emotion
    >>> told = {e.value: 0.0 for e in reversed(Emotion)} | {"fear": 1.0}
    >>> distribution(told).top.value
    'fear'
    """
    if said is None:
        return None
    # What a network does not read has no probability; to whoever counts it is none.
    return Distribution.from_sequence([said[name] or 0.0 for name in _ORDER])


def moment(told: Mapping[str, Any]) -> Moment:
    """A moment as the server writes it."""
    return Moment(
        demanded(told["at"]),
        None if told["reason"] is None else Reason(told["reason"]),
        distribution(told["network"]),
        distribution(told["learner"]),
        distribution(told["said"]),
        told["observation"],
    )


def stands(told: Mapping[str, Any]) -> dict[Scope, Stands]:
    """Where each scope stands, as the server writes it."""
    return {
        Scope(one["scope"]): Stands(
            one["scope"],
            one["title"],
            one["in_force"],
            one["why"],
            one["confirmed"],
            instant(one["covers_from"]),
            instant(one["expires_at"]),
        )
        for one in told["scopes"]
    }
