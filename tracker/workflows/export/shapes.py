"""The table `series` in its two shapes: what was said of each moment side by side (wide) or below each other (long)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tracker.domain.affect import EMOTIONS
from tracker.workflows.export.columns import (
    HIDDEN,
    ORIGIN_COLUMN,
    PARTICIPANT_COLUMN,
    ZONE_COLUMN,
    instant_columns,
)
from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.tables import LEARNER, LEARNER_NOW, NETWORK


class Shape(StrEnum):
    """How the series is told beside the tables of its parts."""

    WIDE = "wide"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of an export is made beside its tables.

    Attributes
    ----------
    shape, every_s
        The table `series`: wide, long, or none; in windows of so many seconds, or at the raw rate.
    learner_now
        Whether the learner as it stands at the export's instant says something of every moment.
    """

    shape: Shape | None = None
    every_s: int | None = None
    learner_now: bool = True


SAID = "said"
"""Who says what a participant answered."""

SPEAKERS = (NETWORK, LEARNER, LEARNER_NOW)
"""Who says an estimate; each has its columns."""

MEASURES = (*(f"p_{e.value}" for e in EMOTIONS), "valence_derived", "arousal_derived")
TARGETS = ("valence", "arousal", "leave_me_alone")
"""Targets other than the emotion that have a column of their own."""
CONTEXT = ("place", "activity", "company")

SECOND_US = 1_000_000
BESIDE_S = 120
"""At the raw rate an answer stands beside the last moment before it, at most so many seconds earlier."""

_ORIGIN = replace(
    ORIGIN_COLUMN,
    meaning=f"{ORIGIN_COLUMN.meaning} It is told of a moment or window where anything in it was.",
)

_WHO = {
    NETWORK: ("the network", "nothing was read, or the network does not read it"),
    LEARNER: ("the personal learner then", "it said nothing, or it is not granted"),
    LEARNER_NOW: ("the personal learner as the export finds it", "there is none, or it is not granted"),
    SAID: ("the participant", "no answer here"),
}


def column(speaker: str, measure: str) -> str:
    """The column of what somebody says.

    Examples
    --------
    >>> column("learner", "p_anger")
    'learner_p_anger'
    """
    return f"{speaker}_{measure}"


def _number(speaker: str, measure: str) -> Column:
    who, missing = _WHO[speaker]
    if measure.startswith("p_"):
        return Column(
            column(speaker, measure),
            Kind.NUMBER,
            f"Probability of {measure[2:]}, as {who} says.",
            missing=missing,
            bounds=(0, 1),
        )
    what = measure.removesuffix("_derived").replace("_", " ")
    derived = ", *derived* from the probabilities" if measure.endswith("_derived") else ""
    low = 0.0 if measure == "leave_me_alone" else -1.0
    return Column(
        column(speaker, measure),
        Kind.NUMBER,
        f"{what.capitalize()}, as {who} says{derived}.",
        missing=missing,
        bounds=(low, 1),
    )


_HEAD = (
    PARTICIPANT_COLUMN,
    *instant_columns("at", "The moment; in a resampled series the start of its window."),
    ZONE_COLUMN,
)
_NEEDS = "affect_series; for each further column the scopes of the table that it comes from"

WIDE = Table(
    "series",
    "One moment (in a resampled series: one window in which something was captured), all that was said of it side by "
    "side.",
    (
        *_HEAD,
        Column("n_observations", Kind.INTEGER, "How many observations the row stands for."),
        Column("n_read", Kind.INTEGER, "In how many of those the network read a face."),
        *(_number(speaker, measure) for speaker in SPEAKERS for measure in MEASURES),
        *(_number(SAID, measure) for measure in (*MEASURES[: len(EMOTIONS)], *TARGETS)),
        *(
            Column(
                name,
                Kind.STRING,
                f"{name.capitalize()}, as said at most two hours before.",
                missing=f"not said, not granted, or {HIDDEN}",
            )
            for name in CONTEXT
        ),
        Column(
            "context_age_s", Kind.NUMBER, "How long before that was said.", "s", missing="nothing was said"
        ),
        _ORIGIN,
    ),
    (),
    (("participant", "participants", "participant"),),
    _NEEDS,
    "at",
)

LONG = Table(
    "series",
    "One number or word about one moment (in a resampled series: one window in which something was captured).",
    (
        *_HEAD,
        Column(
            "source",
            Kind.STRING,
            "Who says it: as in `estimates`; said: the participant, in answers and in words about where they were.",
            levels=(*SPEAKERS, SAID),
        ),
        Column(
            "variable",
            Kind.STRING,
            "What it is: as the columns of `estimates` and `contexts`, or a target of `corrections`.",
        ),
        Column("value", Kind.NUMBER, "The number.", missing="it is a word"),
        Column("text", Kind.STRING, "The word.", missing="it is a number"),
        _ORIGIN,
    ),
    (),
    (("participant", "participants", "participant"),),
    _NEEDS,
    "at",
)

SERIES = {Shape.WIDE: WIDE, Shape.LONG: LONG}


def rules(shape: Shape, every_s: int | None) -> dict[str, object]:
    """The rules by which the series was made, for the manifest.

    Parameters
    ----------
    every_s
        Length of a window in seconds; None for the raw rate.
    """
    estimates = "of each source the last network's or learner's word"
    answers = (
        f"beside the last moment before the moment they speak of, at most {BESIDE_S} s earlier; else left out"
    )
    moment = "each observation"
    if every_s is not None:
        moment = f"windows [start, start + {every_s} s), starts are whole multiples of {every_s} s since 1970 UTC; "
        moment += "windows without an observation have no row, and nothing is filled in"
        estimates += (
            " of each observation, then the mean over the window's observations, weighted by `samples`; of an emotion "
            "over those whose network reads it, so that the eight need not add up to 1 where networks changed"
        )
        answers = "in the window of the moment they speak of; else left out"
    return {
        "shape": shape.value,
        "every_s": every_s,
        "rows": moment,
        "estimates": estimates,
        "answers": f"standing ones by the participant, {answers}; the mean where there are several",
        "context": "the last one said up to `at`, at most 2 h before",
    }
