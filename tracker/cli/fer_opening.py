"""What the commands that judge networks open: a network, one of its heads, and faces of one split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracker.cli.output import err
from tracker.cli.zoo import open_zoo

if TYPE_CHECKING:
    from tracker.fer.engine import Engine
    from tracker.fer.manifest import Head
    from tracker.fer.zoo import Network
    from tracker.lab.datasets.cropping import Cropper
    from tracker.lab.datasets.faces import FaceSet
    from tracker.vision.faces import Detector

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415

Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="KIND:PATH",
        help="fer2013, ferplus, affectnet, rafdb, expw, ckplus or folder; a path.",
    ),
]
NetworkName = Annotated[
    str, typer.Option("--network", metavar="N", help="A name that `networks list` shows.")
]
Split = Annotated[
    str | None,
    typer.Option(metavar="S", help="Spelt as in the data, or all; default: the one held out for choosing."),
]
HeadName = Annotated[
    str | None,
    typer.Option("--head", metavar="H", help="ferplus (8 emotions) or fer2013 (7); default: as the data."),
]
Detect = Annotated[bool, typer.Option("--detect", help="Find the face in every picture and cut it out.")]
DeviceName = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]


@dataclass(frozen=True)
class Judged:
    """A network, ready to be judged on faces."""

    engine: Engine
    head: Head
    faces: FaceSet
    split: str
    cropper: Cropper


def open_faces(
    network: Network, data: str, split: str | None, head: str | None, near_duplicates: Path | None = None
) -> tuple[Head, FaceSet, str]:
    """Read the data with the labels that suit the network's head, and take one split."""
    from tracker.lab import datasets
    from tracker.lab.datasets import opening
    from tracker.lab.judging import usual_head

    kind, _ = opening.kind_of(data)
    chosen = usual_head(network.spec, kind, head)
    with err().status(f"reading {data}"):
        faces = opening.open_faces(data, labels=chosen.name)
        if near_duplicates is not None:
            faces = faces.where(~datasets.read_near_duplicates(near_duplicates, faces))
    name = faces.usual_split() if split is None else split
    return chosen, faces.of(name), name


def opened(
    network: str,
    data: str,
    split: str | None,
    head: str | None,
    *,
    detect: bool,
    device: str,
    near_duplicates: Path | None = None,
) -> Judged:
    """Load the network and read the data."""
    from tracker.fer.engine import Engine

    loaded = open_zoo().load(network)
    chosen, faces, name = open_faces(loaded, data, split, head, near_duplicates)
    return Judged(Engine(loaded, device), chosen, faces, name, cropper(loaded, faces, detect))


def cropper(network: Network, faces: FaceSet, detect: bool) -> Cropper:
    """Make what cuts these faces out for this network; a detector is loaded when it is first needed."""
    from tracker.lab.datasets.cropping import Cropper

    if detect and faces.framing == "boxes":
        raise typer.BadParameter(f"--detect: {faces.kind} data say where each face is; their boxes are used")
    return Cropper(network.spec.crop, detect, load_detector_here)


def load_detector_here() -> Detector:
    """Load YuNet where it was pulled, else the Haar cascade."""
    from tracker.vision.faces import load_detector

    return load_detector(open_zoo().detector_path())
