"""``export --aggregate`` and ``aggregates``: figures about everybody, and what they have cost."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json, progress
from tracker.workflows import budgets

if TYPE_CHECKING:
    from tracker.workflows.aggregates import Release

app = typer.Typer(help="Aggregate figures: what they have cost.", no_args_is_help=True)


def aggregate(
    access: Access,
    folder: Path,
    epsilon: float,
    *,
    first: str | None,
    last: str | None,
    figures: list[str] | None,
    most_per_day: int | None,
    simulated: bool,
    as_json: bool,
) -> None:
    """Make figures, or repeat those that were made, and write them into a folder."""
    from tracker.workflows import aggregates  # noqa: PLC0415 - OpenDP takes a while
    from tracker.workflows.export import figures as writing  # noqa: PLC0415 - so does pyarrow
    from tracker.workflows.export import folder as folders  # noqa: PLC0415

    place = folders.check(folder)
    study, allowed = budgets.governing(access)
    query = aggregates.query_for(
        at := now(),
        epsilon,
        first=_day(first),
        last=_day(last),
        figures=figures or None,
        simulated=simulated,
        **({} if most_per_day is None else {"most_per_day": most_per_day}),
    )
    with progress("Reading everybody's part") as report:
        told = aggregates.release(access, query, allowed, at, study=study, progress=report)
    document = _document(told, study)
    writing.publish(place, told.id, document)
    if as_json:
        print_json({"folder": str(place), "repeated": told.repeated, **document})
    else:
        _print(document, place, repeated=told.repeated)


@app.command()
def budget(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the study's budget for each participant, and what its figures have cost so far."""
    access = opened(settings_of(context))
    study, allowed = budgets.governing(access)
    found = budgets.ledger(access, allowed)
    if as_json:
        print_json(
            {
                "study": study,
                "budget": {"epsilon": allowed.epsilon, "delta": allowed.delta},
                "least_people": allowed.least_people,
                "spent_at_most": {"epsilon": found.at_most.epsilon, "delta": found.at_most.delta},
                "left_at_least": {"epsilon": found.left.epsilon, "delta": found.left.delta},
                "releases": [
                    {
                        "study": row.study,
                        "at": row.at.isoformat(),
                        "epsilon": row.epsilon,
                        "delta": row.delta,
                        "told": not row.result["refused"],
                        "query": row.query,
                    }
                    for row in found.releases
                ],
            }
        )
        return
    table = Table("at", "study", "days", "figures", "epsilon", "told", title=f"study {study}")
    for row in found.releases:
        names = "\n".join(row.query["figures"]) or "people"
        mark = "SIMULATED: " if row.query["simulated"] else ""
        table.add_row(
            f"{row.at:%Y-%m-%d}",
            row.study,
            f"{row.query['first']} to {row.query['last']}",
            mark + names,
            f"{row.epsilon:g}",
            "too few" if row.result["refused"] else "yes",
        )
    console = out()
    console.print(table)
    console.print(
        f"budget of each participant: epsilon {allowed.epsilon:g}, delta {allowed.delta:g}; somebody who was in all of "
        f"these has {found.left.epsilon:g} left, everybody else more",
        highlight=False,
        soft_wrap=True,
    )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write for example 2026-03-01") from None


def _document(told: Release, study: str) -> dict[str, Any]:
    return {
        "study": study,
        "at": _iso(told.at),
        "query": told.query.as_json(),
        "cost": {"epsilon": told.charge.epsilon, "delta": told.charge.delta},
        "result": dict(told.result),
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _print(document: dict[str, Any], folder: Path, *, repeated: bool) -> None:
    from tracker.store.releases import values_of  # noqa: PLC0415 - as above

    query, people = document["query"], document["result"]["people"]
    mark = "SIMULATED, " if query["simulated"] else ""
    title = (
        f"{mark}about {people['about']} people ± {people['margin_95']}, {query['first']} to {query['last']}"
    )
    table = Table("figure", "of", "", "mean", "± (95 %)", title=title)
    for name, of, cell, value, margin, _ in values_of(document["result"]["figures"]):
        if value is None:
            table.add_row(name, of, "", "withheld", "")
        else:
            table.add_row(name, of, cell, f"{value:.3g}", f"{margin:.2g}")
    console = out()
    console.print(table)
    cost = (
        "made before; cost nothing now" if repeated else f"cost epsilon {document['cost']['epsilon']:g} each"
    )
    console.print(f"{folder}\n{cost}", highlight=False, soft_wrap=True)
