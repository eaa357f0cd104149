"""``fer matrix``: networks on data that they do not come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker.cli.fer_opening import Detect, DeviceName, load_detector_here
from tracker.cli.output import AsJson, err, out, print_json, stages
from tracker.cli.zoo import open_zoo

if TYPE_CHECKING:
    from tracker.fer.zoo import Zoo
    from tracker.lab.matrix.tables import Matrix

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415


def matrix(
    networks: Annotated[str, typer.Option(metavar="A,B", help="Names that `networks list` shows: the rows.")],
    data: Annotated[
        list[str], typer.Option(metavar="X,Y", help="KIND:PATH as in `fer evaluate`; may be repeated.")
    ],
    split: Annotated[
        list[str] | None, typer.Option(metavar="KIND=S", help="The split of one kind; may be repeated.")
    ] = None,
    home: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK=DATA", help="What a network was trained on; may be repeated."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Writes CSV, Markdown and a plot there; resumes."),
    ] = None,
    detect: Detect = False,
    device: DeviceName = "auto",
    as_json: AsJson = False,
) -> None:
    """Judge every network on every data set: train on one, test on another (arXiv 2601.12402)."""
    from tracker.lab.matrix.running import Looking, columns_of, run
    from tracker.lab.matrix.tables import Matrix

    names = _listed([networks])
    sources, splits = _sources(data), _pairs(split, "--split KIND=S")
    kinds = list(dict.fromkeys(source.partition(":")[0] for source in sources))
    if strange := [kind for kind in splits if kind not in kinds]:
        raise typer.BadParameter(f"--split {strange[0]}=...: the data are {', '.join(kinds)}")
    columns = columns_of(sources, splits)
    homes = _pairs(home, "--home NETWORK=DATA")
    for name, at in homes.items():
        if name not in names or at not in [column.name for column in columns]:
            known = ", ".join(column.name for column in columns)
            raise typer.BadParameter(
                f"--home {name}={at}: the networks are {', '.join(names)}, the data {known}"
            )
    if folder is not None and folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"--out {folder} is a file; name a folder")
    zoo = open_zoo()
    # Before the long work, not after it.
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise typer.BadParameter(f"--out {folder} cannot be made: {error.strerror or error}") from None
    looking = Looking(detect, load_detector_here, _detector_name(zoo))
    with stages("loading networks") as report:
        loaded = {name: zoo.load(name) for name in names}
        cells = run(loaded, columns, device=device, looking=looking, out=folder, report=report)
    found = Matrix.of(cells, homes)
    if folder is not None:
        _write(found, folder)
    if as_json:
        print_json(
            {
                "home": dict(found.home),
                "cells": [cell.as_dict() | {"drop": found.drop(cell)} for cell in found.cells],
            }
        )
        return
    table = Table("network", *found.data, title="accuracy / macro-F1; * at home")
    for name in found.networks:
        row = [found.at(name, at) for at in found.data]
        table.add_row(
            name,
            *(f"{c.accuracy:.3f} / {c.macro_f1:.3f}{'*' if found.home[name] == c.data else ''}" for c in row),
        )
    out().print(table)


def _detector_name(zoo: Zoo) -> str:
    pulled = any(found.entry.name == "yunet" and found.path is not None for found in zoo.list())
    return "yunet" if pulled else "haar"


def _write(found: Matrix, folder: Path) -> None:
    from tracker.lab.matrix.drawing import draw
    from tracker.lab.matrix.tables import as_csv, as_markdown

    for name, text in (("matrix.csv", as_csv), ("matrix.md", as_markdown), ("matrix.svg", draw)):
        (folder / name).write_text(text(found), encoding="utf-8")
    err().print(f"wrote matrix.csv, matrix.md and matrix.svg to {folder}", highlight=False)


def _sources(given: list[str]) -> list[str]:
    """Split at commas, but not within a path: what follows a comma begins with a known kind."""
    from tracker.lab.datasets.opening import KINDS

    found = list[str]()
    for text in given:
        for place, part in enumerate(text.split(",")):
            if place and part.partition(":")[0].strip() not in KINDS:
                found[-1] += f",{part}"
            else:
                found.append(part.strip())
    return list(dict.fromkeys(found))


def _listed(given: list[str]) -> list[str]:
    names = [part.strip() for text in given for part in text.split(",") if part.strip()]
    if not names:
        raise typer.BadParameter("--networks needs a name")
    return list(dict.fromkeys(names))


def _pairs(given: list[str] | None, form: str) -> dict[str, str]:
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise typer.BadParameter(f"{text!r} is not like {form}")
        found[name] = value
    return found
