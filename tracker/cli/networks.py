"""``affect-tracker networks``: what reads faces and what finds them, here or to be pulled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from tracker.cli import networks_adding
from tracker.cli.installation import now
from tracker.cli.output import AsJson, err, out, print_json
from tracker.cli.zoo import open_zoo

if TYPE_CHECKING:
    from tracker.fer.zoo import Entry, Installed, Zoo

app = typer.Typer(help="List, pull, verify and add networks and face detectors.", no_args_is_help=True)

_HERE = {"shipped": "ships", "pulled": "pulled", "added": "added", "no": "to pull"}

__all__ = ["app", "open_zoo"]

AcceptTerms = Annotated[
    bool, typer.Option("--accept-terms", help="Accept its licence and terms without being asked.")
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show what ships, what was pulled or added, and what could be pulled."""
    zoo = open_zoo()
    found = zoo.list()
    if as_json:
        print_json({"networks": [described(zoo, one) for one in found]})
        return
    table = Table("name", "kind", "classes", "size", "here", "accepted", "licence", box=None, pad_edge=False)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for one in found:
        table.add_row(
            one.entry.name,
            one.entry.kind,
            _classes(one.entry),
            _size(one.entry.size),
            _HERE[one.came],
            "" if one.accepted is None else f"{one.accepted:%Y-%m-%d}",
            one.entry.licence,
        )
    out().print(table)
    if missing := [one.entry for one in found if one.came == "no" and one.entry.url]:
        typer.echo("To bring one here:  affect-tracker networks pull NAME")
    if weak := [entry.name for entry in missing if entry.pin.weaker]:
        typer.echo(f"Known only by the id that git gives it (SHA-1, weaker than SHA-256): {', '.join(weak)}")
    typer.echo("More about one:     affect-tracker networks show NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name that `networks list` shows.")],
    as_json: AsJson = False,
) -> None:
    """Show one: how it reads faces, under which terms, from where, and how its file is known."""
    zoo = open_zoo()
    zoo.entry(name)
    row = next(described(zoo, one) for one in zoo.list() if one.entry.name == name)
    if as_json:
        print_json(row)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for key, value in _told(row):
        table.add_row(key, value)
    out().print(table)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name that `networks list` shows.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="A file, a folder with such files, or the address of a mirror (a folder's ends in /), "
            "instead of the upstream address.",
        ),
    ] = None,
    accept_terms: AcceptTerms = False,
    as_json: AsJson = False,
) -> None:
    """Bring a network or detector into the data folder, after its terms were accepted; its hash is checked."""
    zoo = open_zoo()
    entry = zoo.entry(name)
    screen = err()
    if zoo.needs_acceptance(name):
        _introduce(entry, source)
        if accept_terms or _agreed():
            zoo.acceptances.record(entry, now())
    columns = (TextColumn(name, markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(name, total=entry.size or None)
        path = zoo.pull(name, source, lambda done, size: bar.update(task, completed=done, total=size or None))
    if as_json:
        print_json({"name": name, "id": entry.id, "path": str(path)})
    else:
        typer.echo(str(path))


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One name; without it, all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the files that are here, pulled or added, with the hashes in the manifests."""
    from tracker.fer.zoo import ZooError  # noqa: PLC0415 - see open_zoo

    zoo = open_zoo()
    found = zoo.verify(name)
    if as_json:
        rows = [
            {
                "name": v.name,
                "state": v.state,
                "path": text_of(v.path),
                "pin": v.pin,
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
        if v.state == "wrong" or (v.state == "absent" and name is not None):
            raise ZooError(zoo.explain(v))


app.command("add")(networks_adding.add)
app.command("remove")(networks_adding.remove)


def described(zoo: Zoo, found: Installed) -> dict[str, Any]:
    """Everything about an entry, as JSON has it."""
    entry, spec = found.entry, found.entry.network
    return {
        "name": entry.name,
        "id": entry.id,
        "kind": entry.kind,
        "installed": found.came,
        "path": text_of(found.path),
        "pin": entry.pin.kind,
        "sha256": entry.sha256 or None,
        "git_blob": entry.git_blob or None,
        "size": entry.size or None,
        "licence": entry.licence,
        "terms": entry.terms,
        "terms_accepted_at": None if found.accepted is None else found.accepted.isoformat(),
        "url": entry.url,
        "note": entry.note,
        "card": text_of(zoo.shipped / entry.card) if entry.card else None,
        "architecture": None if spec is None else spec.architecture,
        "heads": {} if spec is None else {head.name: list(head.classes) for head in spec.heads},
        "crop": None if spec is None else {"size": spec.crop.size, "alignment": spec.crop.alignment},
        "normalisation": None if spec is None else spec.normalisation,
    }


def text_of(path: Path | None) -> str | None:
    """A path as JSON has it."""
    return None if path is None else str(path)


def _introduce(entry: Entry, source: str | None) -> None:
    screen = err()
    weaker = ", which is weaker than SHA-256" if entry.pin.weaker else ""
    for key, value in (
        (entry.name, f"from {source or entry.url}, size {_size(entry.size)}"),
        ("licence", entry.licence),
        ("terms", entry.terms),
        ("note", entry.note),
        ("checked by", f"{entry.pin}{weaker}"),
    ):
        if value:
            screen.print(f"{key}: {value}", highlight=False)


def _agreed() -> bool:
    """Ask, where somebody is there to answer; nobody there has accepted nothing."""
    return sys.stdin.isatty() and typer.confirm("Do you accept licence and terms?", err=True)


def _classes(entry: Entry) -> str:
    return "" if entry.network is None else "+".join(str(len(head.classes)) for head in entry.network.heads)


def _size(size: int) -> str:
    if size == 0:
        return "unknown"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _told(row: dict[str, Any]) -> list[tuple[str, str]]:
    pin = f"{row['pin']} {row['sha256'] or row['git_blob']}"
    if row["pin"] != "sha256":
        pin += " (SHA-1, weaker than SHA-256)"
    here = row["path"] or f"no; affect-tracker networks pull {row['name']}"
    told = [
        ("name", row["name"]),
        ("kind", row["kind"]),
        ("here", here),
        ("size", _size(row["size"] or 0)),
        ("known by", pin),
        ("from", row["url"] or "-"),
        ("licence", row["licence"]),
        ("terms", row["terms"]),
        ("accepted", row["terms_accepted_at"] or "-"),
        ("note", row["note"]),
        ("card", row["card"] or "none: never measured here" if row["kind"] == "network" else ""),
    ]
    if row["kind"] == "network":
        told += [
            ("architecture", row["architecture"]),
            ("crop", f"{row['crop']['size']} px, aligned by {row['crop']['alignment']}"),
            ("normalisation", row["normalisation"]),
        ]
        told += [(f"head {name}", ", ".join(classes)) for name, classes in row["heads"].items()]
    return [(key, value) for key, value in told if value]
