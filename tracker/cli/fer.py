"""``affect-tracker fer``: train, judge and package the networks that read faces."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tracker import shipped
from tracker.cli import fer_evaluating, fer_matrix, fer_order, fer_training
from tracker.cli.benchmarks import fer as fer_benchmark
from tracker.cli.output import AsJson, err, print_json

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415

app = typer.Typer(help="Train, judge and package networks, on files.", no_args_is_help=True)

Data = Annotated[
    str, typer.Option("--data", help="KIND:PATH, such as ferplus:DIR with FER2013's and FER+'s CSVs.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Near = Annotated[
    Path | None,
    typer.Option(help="An .npz with near_train_ncc: figures also without near duplicates of training faces."),
]


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe.toml.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint.")],
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was stopped.")] = False,
    device: Device = "auto",
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the network first: a minute, then faster on a GPU.")
    ] = False,
    teachers: Annotated[
        Path | None, typer.Option(help="Folder of finished teachers (teacher-SEED); default: --out.")
    ] = None,
) -> None:
    """Train a network; a killed run continues with --resume, to the same result.

    Where the recipe distils, its teachers are trained first, into teacher-SEED. Recipes of poster_v2, dan and dmue
    learn from any data that `fer evaluate` reads, and leave weights that `networks add` takes.
    """
    from tracker.fer.device import resolve_device
    from tracker.lab import datasets, training
    from tracker.lab.recipe import Recipe, RecipeError

    if fer_training.is_for_faces(recipe):
        if compiled or teachers is not None:
            raise RecipeError("--compile and --teachers are for recipes of se_resnet")
        fer_training.train_faces(recipe, data, out, resume=resume, device=device)
        return
    plan = Recipe.load(recipe)
    started = (out / training.CHECKPOINT).is_file() or any(out.glob("teacher-*"))
    if started and not resume:
        raise RecipeError(f"{out} holds a training; give --resume to continue it, or another --out")
    on = str(resolve_device(device))
    screen = err()
    with screen.status(f"reading {data}"):
        faces = datasets.read(data)
    if not (out / "recipe.toml").is_file():
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.toml").write_bytes(recipe.read_bytes())

    def report(p: training.Progress) -> None:
        screen.print(
            f"{p.network}: epoch {p.epoch} of {p.epochs}: loss {p.loss:.3f}; on PublicTest FER2013 "
            f"{p.fer2013_accuracy:.1%}, FER+ {p.ferplus_accuracy:.1%}",
            highlight=False,
        )

    training.train(
        plan, faces, out, resume=resume, device=on, compiled=compiled, teachers=teachers, report=report
    )
    typer.echo(str(out / training.CHECKPOINT))


@app.command()
def package(
    out: Annotated[Path, typer.Argument(help="Where `fer train` wrote.")],
    data: Data,
    models: Annotated[
        Path | None, typer.Option(help="The folder of the manifest; default: the one in use.")
    ] = None,
    near_duplicates: Near = None,
    as_json: AsJson = False,
) -> None:
    """Make a network from a training: weights, temperatures, card, manifest entry.

    PrivateTest is read once, when the training has ended.
    """
    from tracker.lab import datasets, packaging

    screen = err()
    with screen.status(f"reading {data}") as status:
        faces = datasets.read(data)
        near = None if near_duplicates is None else datasets.read_near_duplicates(near_duplicates, faces)
        folder = models if models is not None else shipped.models()
        today = datetime.now(UTC).date()
        entry = packaging.package(
            out, faces, folder, today=today, near_duplicates=near, report=lambda step: status.update(step)
        )
    card = folder / entry.card
    if as_json:
        print_json({"id": entry.id, "card": str(card)})
    else:
        typer.echo(f"{entry.id}: {card}")


app.command("evaluate")(fer_evaluating.evaluate)
app.command("matrix")(fer_matrix.matrix)
app.command("check-order")(fer_order.check_order)
app.command("benchmark")(fer_benchmark.benchmark)
