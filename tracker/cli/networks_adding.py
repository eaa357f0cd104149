"""``networks add`` and ``networks remove``: networks that people bring themselves, and files that they need no more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tracker.cli.output import AsJson, print_json
from tracker.cli.zoo import open_zoo

_OWN = "as its owner says"


def add(
    name: Annotated[str, typer.Argument(help="What it shall be called: a-z, 0-9, _ and -.")],
    checkpoint: Annotated[
        Path, typer.Option(help="The file: an official checkpoint, an ONNX file, or weights of our own.")
    ],
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="A",
            help="poster_v2, dan, dmue_resnet18, dmue_resnet50ibn or onnx; left away, the file must say it.",
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(help="How many emotions it tells apart; left away, the file must say it.", min=2),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            metavar="ORDER",
            help="What its classes are, in order: names with commas between, or affectnet, rafdb, fer2013, "
            "ferplus, alphabetical.",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(metavar="FRAMING", help="How faces are cut out: size=224,margin=0.1,alignment=eyes."),
    ] = None,
    normalisation: Annotated[
        str | None, typer.Option(help="How pixels are scaled: imagenet, half or per_image.")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help="ONNX: columns in all, where some after the classes are no emotions.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="ONNX: the output to read, if not the first.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="A manifest.toml that describes the file, as `fer package` writes it.")
    ] = None,
    licence: Annotated[str, typer.Option(help="The licence, for the list.")] = _OWN,
    terms: Annotated[str, typer.Option(help="What one may do with it, for the list.")] = _OWN,
    as_json: AsJson = False,
) -> None:
    """Add a network of one's own: checked, converted, and written whole or not at all; no code in it is run."""
    zoo = open_zoo()
    from tracker.fer.adding import Wanted, add  # noqa: PLC0415 - see open_zoo

    entry = add(
        zoo,
        Wanted(
            name,
            checkpoint,
            architecture,
            classes,
            order,
            crop,
            normalisation,
            columns=columns,
            output=output,
            manifest=manifest,
            licence=licence,
            terms=terms,
        ),
    )
    told: dict[str, Any] = {
        "name": entry.name,
        "id": entry.id,
        "path": str(zoo.data / entry.file),
        "architecture": entry.spec.architecture,
        "heads": {head.name: list(head.classes) for head in entry.spec.heads},
        "order": "stated" if order is not None else "from the file or its authors",
    }
    if as_json:
        print_json(told)
        return
    typer.echo(told["path"])
    for head, names in told["heads"].items():
        typer.echo(f"{head}: {', '.join(names)} ({told['order']})")
    typer.echo(
        f"Look whether the order is right:  affect-tracker fer check-order --network {name} --data KIND:PATH"
    )


def remove(
    name: Annotated[str, typer.Argument(help="A name that `networks list` shows as pulled or added.")],
    as_json: AsJson = False,
) -> None:
    """Delete a file that was pulled, or a network that was added; what ships stays, and so do estimates."""
    zoo = open_zoo()
    from tracker.fer.adding import remove  # noqa: PLC0415 - see open_zoo

    path = remove(zoo, name)
    if as_json:
        print_json({"name": name, "removed": str(path)})
    else:
        typer.echo(f"removed {path}")
