"""Aggregate figures as a folder: for programs (JSON, CSV) and for people, with what they do not say."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.store import releases
from tracker.workflows.export import folder
from tracker.workflows.export.columns import RECORDED, SIMULATED
from tracker.workflows.export.package import as_json

LIMITS = (
    "Noise was added on purpose, so that nobody can tell from these figures whether any one person is in them. "
    "`margin_95` is how far a number is off by this noise in 95 of 100 cases; it says nothing about how well these "
    "people stand for others.",
    "Each person counts once in each figure, however much was recorded of them: means are means over people.",
    "A row marked as withheld is made of too few people, or of too few to say so. It is not zero.",
    "What faces looked like to a network is not what people felt.",
    "Each figure has noise of its own: what should add up does not quite.",
)

COLUMNS = ("figure", "of", "cell", "value", "margin_95", "people_about", "withheld", "origin")


def publish(out: Path, number: int, document: Mapping[str, Any]) -> None:
    """Write figures into a folder that appears whole or not at all.

    Parameters
    ----------
    out
        As `tracker.workflows.export.folder.check` returned it.
    number
        The release's.
    document
        The release: when, what was asked, what it cost, what was told.

    Raises
    ------
    ExportError, StorageFullError
        When the folder cannot be written; the figures are kept, and asking again for them is free.
    """
    origin = SIMULATED if document["query"]["simulated"] else RECORDED
    with folder.partial(out, f"figures-{number}") as here:
        folder.write(here / "figures.json", as_json({"contains": [origin], **document}))
        folder.write(here / "figures.csv", _csv(document["result"]["figures"], origin).encode())
        folder.write(here / "about.md", _about(document, origin).encode())
        folder.publish(here, out)


def _csv(figures: list[dict[str, Any]], origin: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for *values, people in releases.values_of(figures):
        writer.writerow([*values, people, "true" if people is None else "false", origin])
    return text.getvalue()


def _about(document: Mapping[str, Any], origin: str) -> str:
    query, cost, people = document["query"], document["cost"], document["result"]["people"]
    mark = f" Everything here is {SIMULATED}." if origin == SIMULATED else ""
    return "\n".join(
        (
            "# Aggregate figures",
            "",
            f"Study `{document['study']}`, {query['first']} to {query['last']} (whole days, UTC), told at "
            f"{document['at']}, about {people['about']} people (plus or minus {people['margin_95']}).{mark}",
            "",
            f"Differentially private for each person with everything recorded of them: ε = {cost['epsilon']:g}, "
            f"δ = {cost['delta']:g}, charged to each person's budget. Made with OpenDP's discrete Laplace mechanism.",
            "",
            "## Figures",
            "",
            *(f"- `{figure['name']}`: {figure['meaning']}" for figure in document["result"]["figures"]),
            "",
            "## What these are not",
            "",
            *(f"- {limit}" for limit in LIMITS),
            "",
        )
    )
