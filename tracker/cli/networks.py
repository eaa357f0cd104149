"""``affect-tracker networks``: what reads faces and what finds them, here or to be pulled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from tracker import settings, shipped
from tracker.cli.output import AsJson, err, out, print_json

if TYPE_CHECKING:
    from tracker.fer.zoo import Installed, Zoo

app = typer.Typer(help="List, pull and verify networks and face detectors.", no_args_is_help=True)


def open_zoo() -> Zoo:
    """Open the shipped networks and those in the user's data folder."""
    from tracker.fer.zoo import Zoo  # noqa: PLC0415 - torch takes seconds, and --help should not

    return Zoo(shipped.models(), settings.load(os.environ).data_folder / "networks")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show what ships, what was pulled, and what could be."""
    zoo = open_zoo()
    rows = [_described(zoo, found) for found in zoo.list()]
    if as_json:
        print_json({"networks": rows})
        return
    table = Table("name", "kind", "installed", "size", "licence")
    for row in rows:
        table.add_row(
            row["name"], row["kind"], row["installed"], f"{row['size'] / 1e6:.1f} MB", row["licence"]
        )
    out().print(table)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name that `networks list` shows.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A file, or a folder with such files, instead of the internet."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a network or detector into the data folder; its SHA-256 is checked."""
    zoo = open_zoo()
    entry = zoo.entry(name)
    screen = err()
    screen.print(f"{entry.name}: {entry.licence}. {entry.terms}", highlight=False)
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(name, total=entry.size)
        path = zoo.pull(name, source, lambda done, _: bar.update(task, completed=done))
    if as_json:
        print_json({"name": name, "id": entry.id, "path": str(path)})
    else:
        typer.echo(str(path))


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One name; without it, all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the files that are there with the hashes in the manifest."""
    from tracker.fer.zoo import ZooError  # noqa: PLC0415 - see open_zoo

    found = open_zoo().verify(name)
    if as_json:
        rows = [
            {
                "name": v.name,
                "state": v.state,
                "path": _text(v.path),
                "expected": v.expected,
                "found": v.found,
            }
            for v in found
        ]
        print_json({"networks": rows})
    else:
        for v in found:
            typer.echo(f"{v.state:7} {v.name}  {v.path or 'not installed'}")
    for v in found:
        if v.state == "wrong":
            raise ZooError(
                f"{v.path} has the sha256 {v.found}, expected {v.expected}; delete it and pull it again"
            )
        if v.state == "absent" and name is not None:
            raise ZooError(f"{name} is not installed; run: affect-tracker networks pull {name}")


def _described(zoo: Zoo, found: Installed) -> dict[str, Any]:
    entry, installed = found.entry, "no"
    if found.path is not None:
        installed = "shipped" if found.path.is_relative_to(zoo.shipped) else "pulled"
    return {
        "name": entry.name,
        "id": entry.id,
        "kind": entry.kind,
        "installed": installed,
        "path": _text(found.path),
        "sha256": entry.sha256,
        "size": entry.size,
        "licence": entry.licence,
        "terms": entry.terms,
        "url": entry.url,
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
