"""``fer evaluate``: judge a network on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker.cli.networks import open_zoo
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.output import out as results

if TYPE_CHECKING:
    from tracker.lab.evaluation import Evaluation

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415

Data = Annotated[
    str, typer.Option("--data", help="KIND:PATH, such as ferplus:DIR with FER2013's and FER+'s CSVs.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Near = Annotated[
    Path | None,
    typer.Option(help="An .npz with near_train_ncc: figures also without near duplicates of training faces."),
]


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
