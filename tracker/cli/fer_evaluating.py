"""``fer evaluate``: judge a network on labelled faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker.cli.fer_opening import Data, Detect, DeviceName, HeadName, Judged, NetworkName, Split, opened
from tracker.cli.output import AsJson, err, print_json, progress
from tracker.cli.output import out as results

if TYPE_CHECKING:
    from tracker.lab.evaluation import Evaluation
    from tracker.lab.judging import Judgement


def evaluate(
    data: Data,
    network: NetworkName = "default",
    split: Split = None,
    head: HeadName = None,
    detect: Detect = False,
    near_duplicates: Annotated[
        Path | None,
        typer.Option(metavar="NPZ", help="With near_train_ncc: leave near duplicates of training faces out."),
    ] = None,
    device: DeviceName = "auto",
    as_json: AsJson = False,
) -> None:
    """Judge a network on labelled faces, with baseline, calibration, intervals and groups.

    FER2013's PrivateTest is for the figures in a network's card: whoever chooses by it spoils it.
    """
    judged = opened(network, data, split, head, detect=detect, device=device, near_duplicates=near_duplicates)

    from tracker.lab.judging import judge_faces  # noqa: PLC0415 - loads torch

    with progress(f"Judging {judged.engine.network.id} on {data}") as report:
        found = judge_faces(judged.engine, judged.faces, judged.head, judged.cropper, report=report)
    if as_json:
        print_json(
            {"network": judged.engine.network.id, "data": data, "split": judged.split, **found.as_dict()}
        )
    else:
        _show(judged, data, found)


def _show(judged: Judged, data: str, found: Judgement) -> None:
    e, console = found.figures, results()
    console.print(
        f"{judged.engine.network.id}, head {e.head}, {data}, {judged.split}: {e.n} faces; accuracy "
        f"{e.accuracy:.1%}{_interval(e, 'accuracy')}, majority {e.majority:.1%}, macro-F1 {e.macro_f1:.3f}"
        f"{_interval(e, 'macro_f1')}, ECE {e.ece:.3f}, NLL {e.nll:.3f}",
        highlight=False,
    )
    table = Table("emotion", "n", "precision", "recall", "F1")
    for name, s in e.per_class.items():
        table.add_row(name, str(s.n), f"{s.precision:.2f}", f"{s.recall:.2f}", f"{s.f1:.2f}")
    console.print(table)
    for name, group in found.groups.items():
        tests = (
            "" if group.p is None else f"; p {group.p:.4f}, among equal emotions {group.p_same_emotion:.4f}"
        )
        table = Table(name, "n", "accuracy", "macro-F1", title=f"by {name}{tests}")
        for value, own in group.groups.items():
            accuracy = f"{own.accuracy:.1%}{_interval(own, 'accuracy')}"
            table.add_row(value, str(own.n), accuracy, f"{own.macro_f1:.3f}")
        console.print(table)
    screen = err()
    screen.print(f"pictures: {found.framing}; intervals: 95 % over {found.drawn}", highlight=False)
    for note in found.notes:
        screen.print(f"note: {note}", highlight=False)
    for broken in found.broken[:5]:
        screen.print(f"skipped: {broken}", highlight=False)


def _interval(e: Evaluation, name: str) -> str:
    if name not in e.intervals:
        return ""
    low, high = e.intervals[name]
    return f" ({low:.3f} to {high:.3f})"
