"""Columns that several tables of a dataset share."""

from __future__ import annotations

from tracker.domain.affect import EMOTIONS
from tracker.workflows.export.declaring import Column, Kind

RECORDED = "RECORDED"
SIMULATED = "SIMULATED"
IMPORTED = "IMPORTED"

HIDDEN = "withheld, so that nobody stands out"


def instant_columns(name: str, meaning: str, missing: str = "") -> tuple[Column, Column]:
    """An instant in UTC, and beside it the offset of local time."""
    offset, hidden = f"Local time minus UTC at `{name}`, from `zone`.", f"{missing}, or {HIDDEN}"
    return (
        Column(name, Kind.DATETIME, meaning, "UTC", missing=missing),
        Column(
            f"{name}_offset_min",
            Kind.INTEGER,
            offset,
            "min",
            missing=hidden if missing else HIDDEN,
            bounds=(-1440, 1440),
        ),
    )


def emotion_columns(
    prefix: str = "p_", missing: str = "", what: str = "Probability of {}."
) -> tuple[Column, ...]:
    """One column for each emotion, in the one order."""
    return tuple(
        Column(f"{prefix}{e.value}", Kind.NUMBER, what.format(e.value), missing=missing, bounds=(0, 1))
        for e in EMOTIONS
    )


PARTICIPANT_COLUMN = Column(
    "participant",
    Kind.STRING,
    "Random pseudonym, made anew for every export: the same person has another one in another export.",
)
ZONE_COLUMN = Column(
    "zone",
    Kind.STRING,
    "IANA time zone of the participant then; where manifest.json says so under `anonymity`, told more coarsely.",
    missing=HIDDEN,
)
ORIGIN_COLUMN = Column(
    "origin",
    Kind.STRING,
    f"{RECORDED}: from a real recording or person. {SIMULATED}: made by a program. {IMPORTED}: from a real person, by "
    "way of another program's file; in no dataset for everybody.",
    levels=(RECORDED, SIMULATED, IMPORTED),
)
OBSERVATION = "Number of the observation in this export."
