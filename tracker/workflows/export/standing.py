"""What of a person's answers stands, for tables that tell one answer a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracker.store.rows import EMOTION_COLUMNS
from tracker.workflows.export.series import Answer

_PARTICIPANT = "participant"


def as_dicts(columns: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Columns as rows by name."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def of_participant(corrections: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that the participant said and has not said anew, in order of their moments.

    A later word takes the place of the one that it names, and of an earlier one about the same target at exactly the
    same instant or of the same observation.
    """
    said: dict[int, Mapping[str, Any]] = {}
    places: dict[tuple[str, str, Any], int] = {}
    for row in sorted(corrections, key=lambda r: r["id"]):
        if row["rater"] != _PARTICIPANT:
            continue
        mine = [(row["target"], "at", row["at"])]
        if row["observation"] is not None:
            mine.append((row["target"], "observation", row["observation"]))
        for gone in (row["supersedes"], *(places.get(place) for place in mine)):
            said.pop(gone, None)
        places |= dict.fromkeys(mine, row["id"])
        said[row["id"]] = row
    return sorted(said.values(), key=lambda r: (r["at"], r["id"]))


def answers(corrections: Iterable[Mapping[str, Any]]) -> tuple[Answer, ...]:
    """The same, as `tracker.workflows.export.series` reads them."""
    return tuple(
        Answer(row["at"], row["target"], row["value"], probabilities(row), bool(row.get("imported_from")))
        for row in of_participant(corrections)
    )


def probabilities(row: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The eight that a correction says; None where it is about something else."""
    each = tuple(row[name] for name in EMOTION_COLUMNS)
    return None if None in each else each
