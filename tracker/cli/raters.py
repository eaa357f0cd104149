"""``raters``: what is stored about somebody's work as a rater; to show it, hand it over and erase it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.workflows import members, rating

app = typer.Typer(no_args_is_help=True, help="What is stored about raters' own work.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rater's name.")]


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Print what a rater agreed to, and how much is stored about their work."""
    access = opened(settings_of(context))
    member = members.find(access, name)
    agreed, counts = rating.agreed(access, member), rating.stored(access, member)
    if as_json:
        print_json(
            {
                "rater": name,
                "agreed": sorted(agreed.scopes),
                "at": agreed.at.isoformat() if agreed.at is not None else None,
                "rows": counts,
            }
        )
        return
    typer.echo("agreed to: " + (", ".join(sorted(agreed.scopes)) or "nothing under the notice that stands"))
    table = Table("table", Column("rows", justify="right"), title=f"What is stored about {name} as a rater")
    for table_name, n in counts.items():
        table.add_row(table_name, str(n))
    out().print(table)


@app.command()
def export(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the JSON file goes; it must not be there.")
    ],
) -> None:
    """Write everything that is stored about a rater's work into a JSON file, for the rater."""
    access = opened(settings_of(context))
    told = rating.own_data(access, members.find(access, name))
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise typer.BadParameter(f"{file} is there already; choose another name") from None
    typer.echo(f"{len(told['votes'])} answers and {len(told['traces'])} traces of {name} are in {file}")


@app.command()
def erase(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether that is meant.")] = False,
) -> None:
    """Erase what a rater said and what was measured of it; they stay a member, and words put together stay nameless."""
    access = opened(settings_of(context))
    member = members.find(access, name)
    if not yes:
        typer.confirm(f"Erase all answers and traces of {name} for good?", abort=True)
    gone = rating.erase(access, member, now())
    typer.echo(", ".join(f"{n} {table}" for table, n in gone.items()) or "nothing was stored")
