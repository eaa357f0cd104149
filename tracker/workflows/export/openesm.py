"""What describes the table of prompts to experience-sampling research: the JSON file of an openESM dataset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.workflows.export.beeps import NAME, BeepFile, dataset_id
from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.declaring import Column, Kind

VERSION = "1.0.0"
_TYPES = {
    Kind.INTEGER: "integer",
    Kind.NUMBER: "numeric",
    Kind.STRING: "character",
    Kind.BOOLEAN: "logical",
    Kind.DATETIME: "POSIXct",
}


def metadata(
    export: str, made: datetime, beeps: BeepFile, people: int, *, simulated: bool, contexts: bool
) -> Mapping[str, Any]:
    """The keys that openESM has, in its order; what an export cannot know is null.

    Parameters
    ----------
    export, made
        Its id, and when it was first made.
    beeps
        The table.
    people, simulated
        How many participants there are, and whether any is simulated.
    contexts
        Whether the export has contexts.
    """
    return {
        "first_author": NAME,
        "dataset_id": dataset_id(export),
        "year": made.year,
        "reference_a": None,
        "reference_b": None,
        "paper_doi": None,
        "zenodo_doi": None,
        "license": None,
        "link_to_data": None,
        "link_to_codebook": "codebook.md",
        "dataset_version": VERSION,
        "changelog": [{"version": VERSION, "date": f"{made:%Y-%m-%d}", "changes": "first version"}],
        "n_participants": people,
        "n_time_points": beeps.rows,
        "n_days": beeps.days,
        "n_beeps_per_day": None,
        "passive_data_available": "yes",
        "cross_sectional_available": "yes",
        "topics": ["affect", "emotion", "facial expression"],
        "implicit_missingness": "no",
        "raw_time_stamp": "yes",
        "sampling_scheme": "as the study declares; `random` marks the prompts whose moment chance chose",
        "participants": f"{SIMULATED} participants are among them; see `origin`" if simulated else None,
        "additional_comments": f"Exported as {export}; estimates{' and contexts' if contexts else ''} are in the other "
        "tables of this folder; codebook.md says what the data are not.",
        "features": [_feature(column) for column in beeps.table.columns],
    }


def _feature(column: Column) -> dict[str, Any]:
    answer = column.missing == "not answered" and column.kind is Kind.NUMBER
    return {
        "name": column.name,
        "description": column.meaning,
        "variable_type": _TYPES[column.kind],
        "coding": f"{column.bounds[0]:g} to {column.bounds[1]:g}" if column.bounds else None,
        "answer_categories": ", ".join(column.levels) or None,
        "details": f"empty: {column.missing}" if column.missing else None,
        "labels": column.unit or None,
        "transformation": None,
        "source": "participant" if answer else "software",
        "assessment_type": "ESM",
        "construct": "affect" if answer else None,
        "comments": None,
    }
