"""``affect-tracker fer``: train, judge and package the networks that read faces."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker import shipped
from tracker.cli.networks import open_zoo
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.output import out as results

if TYPE_CHECKING:
    from tracker.lab.evaluation import Evaluation

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
) -> None:
    """Train a network; a killed run continues with --resume, to the same result."""
    from tracker.fer.device import resolve_device
    from tracker.lab import datasets, training
    from tracker.lab.recipe import Recipe, RecipeError

    plan = Recipe.load(recipe)
    started = (out / training.CHECKPOINT).is_file()
    if started and not resume:
        raise RecipeError(f"{out} holds a training; give --resume to continue it, or another --out")
    on = str(resolve_device(device))
    screen = err()
    with screen.status(f"reading {data}"):
        faces = datasets.read(data)
    if not started:
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.toml").write_bytes(recipe.read_bytes())

    def report(p: training.Progress) -> None:
        screen.print(
            f"epoch {p.epoch} of {p.epochs}: loss {p.loss:.3f}; on PublicTest FER2013 "
            f"{p.fer2013_accuracy:.1%}, FER+ {p.ferplus_accuracy:.1%}",
            highlight=False,
        )

    training.train(plan, faces, out, resume=resume, device=on, report=report)
    typer.echo(str(out / training.CHECKPOINT))


@app.command()
def evaluate(
    data: Data,
    network: Annotated[str, typer.Option(help="A name that `networks list` shows.")] = "default",
    split: Annotated[
        str, typer.Option(help="Spelt as in the data: Training, PublicTest, PrivateTest.")
    ] = "PublicTest",
    head: Annotated[str, typer.Option(help="ferplus (8 emotions) or fer2013 (7).")] = "ferplus",
    near_duplicates: Near = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Judge a network on labelled faces, with baseline, calibration and intervals.

    PrivateTest is for the figures in a network's card: whoever chooses by it spoils it.
    """
    from tracker.fer.engine import Engine
    from tracker.lab import datasets, evaluation

    engine = Engine(open_zoo().load(network), device)
    with err().status(f"reading and judging {data}"):
        faces = datasets.read(data)
        if near_duplicates is not None:
            faces = faces.where(~datasets.read_near_duplicates(near_duplicates, faces))
        found = evaluation.evaluate(engine, faces.of(split), head)
    if as_json:
        print_json({"network": engine.network.id, "split": split, **found.as_dict()})
    else:
        _show(engine.network.id, split, found)


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


def _show(network: str, split: str, found: Evaluation) -> None:
    console = results()
    low, high = found.intervals["accuracy"]
    console.print(
        f"{network}, head {found.head}, {split}: {found.n} faces; accuracy {found.accuracy:.1%} "
        f"({low:.1%} to {high:.1%}; majority {found.majority:.1%}), macro-F1 {found.macro_f1:.3f}, "
        f"ECE {found.ece:.3f}, NLL {found.nll:.3f}",
        highlight=False,
    )
    table = Table("emotion", "n", "precision", "recall", "F1")
    for name, s in found.per_class.items():
        table.add_row(name, str(s.n), f"{s.precision:.2f}", f"{s.recall:.2f}", f"{s.f1:.2f}")
    console.print(table)
