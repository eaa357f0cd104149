"""Between rows of the log of learning and values: what was seen, said and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.store.database import DatabaseError
from tracker.store.rows import from_columns

Label = Distribution | float
"""What was said: a distribution over emotions, or a value for every other target."""


class DamagedLogError(DatabaseError):
    """A learning event cannot be read, so what was learned from it cannot be learned again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a learner saw of a moment, and on what that rests.

    Attributes
    ----------
    features
        As they were learned from.
    situation
        What was known of the moment itself, for the histories of later moments; None for the target emotion,
        whose features are of the moment alone.
    cut
        What the features would have been: under ``context`` without any context, under ``past`` without the
        person's past, under ``both`` without either. None where nothing but the moment was seen, and in rows of
        the log, beside which it is read apart (`cuts`).
    seen_from
        The earliest instant of the observations that were looked at, or None.
    past_from, context_from, prompts_from
        The earliest moment of the past, the earliest context and the earliest answer to a prompt that the
        features rest on; None where they rest on none.
    """

    features: Mapping[str, float]
    situation: Mapping[str, Any] | None = None
    cut: Mapping[str, Mapping[str, float]] | None = None
    seen_from: datetime | None = None
    past_from: datetime | None = None
    context_from: datetime | None = None
    prompts_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """What a learner said before it knew, and what was said."""

    predicted: Any
    label: Label
    recorded_at: datetime


def seen_columns(seen: Seen) -> dict[str, Any]:
    """What was seen, as values for its columns."""
    return {
        "features": dict(seen.features),
        "situation": None if seen.situation is None else dict(seen.situation),
        "cut": None if seen.cut is None else {name: dict(found) for name, found in seen.cut.items()},
        "seen_from": seen.seen_from,
        "past_from": seen.past_from,
        "context_from": seen.context_from,
        "prompts_from": seen.prompts_from,
    }


def plain(said: Distribution | float | Sequence[float] | None) -> Any:
    """A prediction as its column holds it: eight probabilities, two numbers, one, or none."""
    if isinstance(said, Distribution):
        return list(said.probabilities)
    return list(said) if isinstance(said, Sequence) else said


def label_of(row: Any) -> Label:
    """What was said, from its columns."""
    said = from_columns(row)
    return said if said is not None else float(row["value"])


def prediction_of(said: Any) -> Any:
    """A prediction from what its column holds."""
    if isinstance(said, list):
        return Distribution(tuple(said)) if len(said) == len(EMOTIONS) else tuple(map(float, said))
    return float(said)


def damaged(row: Any, error: Exception) -> DamagedLogError:
    """The error of a row that cannot be read."""
    return DamagedLogError(
        f"learning event {row['id']} cannot be read ({type(error).__name__}); bring the database back from a backup"
    )
