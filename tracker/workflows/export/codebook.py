"""The codebook: every table and column in words, with its distribution where there is a dataset."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.workflows.export.declaring import Column, Table
from tracker.workflows.export.distributions import Distributions
from tracker.workflows.export.tables import SIMULATED, TABLES

LIMITS = (
    "An estimate says what a face *looks like* to a network. It is not what the person felt, and it is "
    "often wrong; the card of each network says how often, and on whose faces that was never measured.",
    "A correction is a self-report or a rater's impression, given at `recorded_at` about `at`: a memory "
    "where these lie apart, and leaning towards the machine where `suggestion_shown` is true.",
    "Valence and arousal called *derived* are fixed sums of the eight probabilities: they hold nothing "
    "that these do not.",
    "Estimates by the learner were made after corrections of the same person; judged against those "
    "corrections they look better than they are.",
    "Rows are not a random sample of moments: there is nothing where no camera ran, where the face was away, "
    "or where consent did not reach. `reason` and the columns `*_granted` say what is missing by design.",
    "Pseudonyms of two exports cannot be matched with each other, but rows with the same instants and values "
    "can. Times, zones and habits of a person can identify them: this is personal data; share it no further "
    "than its participants allowed, and do not try to find out who they are.",
    "k-anonymity is that of the table `participants` alone: its columns, pseudonym and `origin` aside, are told so "
    "that at least k real people share each row, and the zone likewise in every table. It says nothing about the "
    "rows: whoever counts them, or knows when somebody was recorded, may find that person all the same. "
    "l-diversity is not claimed.",
    "Participants can withdraw. Ask from time to time whether this export is outdated, and replace it.",
)


def render(distributions: Mapping[str, Distributions] | None = None, heading: str = "") -> str:
    """The codebook in Markdown.

    Parameters
    ----------
    distributions
        By table, for the codebook of one export; None for the one of all exports.
    heading
        What this export is, in Markdown.
    """
    parts = ["# Codebook", ""]
    if heading:
        parts += [heading, ""]
    parts += [
        "Each table is one file per format, `<table>.parquet` and `<table>.csv` (UTF-8, comma, a header "
        "line, an empty cell for what is missing). Instants are in UTC; beside each stands the offset of the "
        "participant's local time in minutes, and in the row their IANA zone. Rows are in order of "
        "participant and time.",
        "",
        f"Rows whose `origin` is {SIMULATED} were made by a program. Leave them out of every statement about "
        "people.",
        "",
        "## What the data are not",
        "",
        *(f"- {limit}" for limit in LIMITS),
    ]
    for table in TABLES:
        parts += ["", *_table(table, distributions[table.name] if distributions is not None else None)]
    return "\n".join(parts) + "\n"


def _table(table: Table, seen: Distributions | None) -> list[str]:
    references = "; ".join(f"`{c}` → `{t}.{there}`" for c, t, there in table.references)
    parts = [
        f"## {table.name}",
        "",
        table.meaning,
        "",
        f"- Primary key: {', '.join(f'`{c}`' for c in table.primary_key)}",
        *([f"- References: {references}"] if references else []),
        f"- Here only with the scopes: export_pseudonymous (in a public export export_public); {table.scopes}",
        *([f"- Rows: {seen.rows}"] if seen is not None else []),
        "",
    ]
    head = ["column", "type", "unit", "meaning", "levels", "empty means"]
    rows = [_row(c) for c in table.columns]
    if seen is not None:
        head += ["empty", "distribution"]
        rows = [
            [*row, str(seen.missing(c.name)), seen.text(c)]
            for row, c in zip(rows, table.columns, strict=True)
        ]
    return [*parts, _line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _row(column: Column) -> list[str]:
    levels = ", ".join(column.levels)
    if column.bounds is not None:
        levels = f"{column.bounds[0]:g} to {column.bounds[1]:g}"
    return [
        f"`{column.name}`",
        column.kind.value,
        column.unit,
        column.meaning,
        levels,
        column.missing or "never",
    ]


def _line(cells: list[str]) -> str:
    # What people typed (places, slots) reaches the distributions: it must not break the table.
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
