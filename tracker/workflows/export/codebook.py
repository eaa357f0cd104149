"""The codebook: every table and column in words, with its distribution where there is a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracker.workflows.export import beeps
from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.declaring import Column, Table
from tracker.workflows.export.distributions import Distributions
from tracker.workflows.export.shapes import SERIES
from tracker.workflows.export.tables import TABLES

EVERY = (*TABLES, *SERIES.values(), beeps.table(["valence", "arousal", "leave_me_alone"]))
"""Every table that an export can have."""

WHAT = (
    "Each table is one file `<table>.csv` (UTF-8, comma, a header line, an empty cell for what is missing) and a "
    "folder `<table>` of Parquet files, one for each participant and month (UTC): "
    "`<table>/participant=<participant>/month=<year>-<month>/rows.parquet`, whose column `participant` is the "
    "folder's name; `participants` and `raters` are one file each. `tracker.read_export(folder)` reads them all. "
    "Instants are in UTC; beside each stands the offset of the participant's local time in minutes, and in the row "
    "their IANA zone. Rows are in order of participant and time.",
    "`series` is there where it was asked for (`--shape wide` or `long`), at the raw rate or in windows; manifest.json "
    "has its rules. `beeps` is the table of an openESM dataset (`--format openesm`): a tab-separated file with a JSON "
    "file beside it, and further columns where a study asks about further targets.",
    f"Rows whose `origin` is {SIMULATED} were made by a program. Leave them out of every statement about people.",
)

LIMITS = (
    "An estimate says what a face *looks like* to a network. It is not what the person felt, and it is "
    "often wrong; the card of each network says how often, and on whose faces that was never measured.",
    "A correction is a self-report or a rater's impression, given at `recorded_at` about `at`: a memory "
    "where these lie apart, and leaning towards the machine where `suggestion_shown` is true.",
    "Valence and arousal called *derived* are fixed sums of the eight probabilities: they hold nothing "
    "that these do not.",
    "Estimates by the learner were made after corrections of the same person; judged against those "
    "corrections they look better than they are. Those by `learner_now` were made after all of them, and say nothing "
    "about how good the learner is.",
    "A rating says what a picture looks like to somebody who does not know what was felt. Only raters who agreed to "
    "research are here, which is not a random choice of raters; `random` marks the items that chance chose. "
    "What raters said together, one word made of several votes, is in no export.",
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


def render(
    distributions: Mapping[str, Distributions] | None = None,
    heading: str = "",
    tables: Sequence[Table] = EVERY,
) -> str:
    """The codebook in Markdown.

    Parameters
    ----------
    distributions
        By table, for the codebook of one export; None for the one of all exports.
    heading
        What this export is, in Markdown.
    tables
        Those that it has.
    """
    parts = ["# Codebook", ""]
    if heading:
        parts += [heading, ""]
    for paragraph in WHAT:
        parts += [paragraph, ""]
    parts += ["## What the data are not", "", *(f"- {limit}" for limit in LIMITS)]
    for table in tables:
        seen = distributions[table.name] if distributions is not None else None
        head, rows = cells(table, seen)
        parts += [
            "",
            f"## {title(table)}",
            "",
            table.meaning,
            "",
            *(f"- {fact}" for fact in facts(table, seen)),
            "",
        ]
        parts += [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(parts) + "\n"


def title(table: Table) -> str:
    """The heading of a table; the one that comes in two shapes is told twice."""
    return next((f"{table.name} ({shape.value})" for shape, of in SERIES.items() if of is table), table.name)


def facts(table: Table, seen: Distributions | None) -> list[str]:
    """What is said of a table before its columns."""
    keys = ", ".join(f"`{c}`" for c in table.primary_key)
    references = "; ".join(f"`{c}` → `{t}.{there}`" for c, t, there in table.references)
    return [
        *([f"Primary key: {keys}"] if keys else []),
        *([f"References: {references}"] if references else []),
        f"Here only with the scopes: export_pseudonymous (in a public export export_public); {table.scopes}",
        *([f"Rows: {seen.rows}"] if seen is not None else []),
    ]


def cells(table: Table, seen: Distributions | None) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the list of a table's columns."""
    head = ["column", "type", "unit", "meaning", "levels", "empty means"]
    rows = [_row(c) for c in table.columns]
    if seen is not None:
        head += ["empty", "distribution"]
        rows = [
            [*row, str(seen.missing(c.name)), seen.text(c)]
            for row, c in zip(rows, table.columns, strict=True)
        ]
    return head, rows


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
