"""``affect-tracker fer train`` with a recipe of the literature's networks: one head, any labelled faces."""

from __future__ import annotations

from pathlib import Path

import typer

from tracker.cli.fer_opening import load_detector_here
from tracker.cli.output import err

# torch takes seconds to import, and --help should not: each command imports what it needs.
# ruff: noqa: PLC0415

_NAMED = 3  # broken pictures that are named after an epoch


def is_for_faces(recipe: Path) -> bool:
    """Whether the recipe's architecture has one head and reads RGB, and so learns from any labelled faces."""
    from tracker.lab.faces_recipe import TWO_HEADED, read_table

    return bool(read_table(recipe).get("architecture", TWO_HEADED) != TWO_HEADED)


def train_faces(recipe: Path, data: str, out: Path, *, resume: bool, device: str) -> Path:
    """Train, say how it goes, and return where the finished weights lie."""
    from tracker.fer.device import resolve_device
    from tracker.lab import keeping_faces, training_faces
    from tracker.lab.datasets.cropping import Cropper
    from tracker.lab.datasets.opening import open_faces
    from tracker.lab.faces_recipe import load_faces_recipe
    from tracker.lab.recipe import RecipeError

    plan = load_faces_recipe(recipe)
    if (out / training_faces.CHECKPOINT).is_file() and not resume:
        raise RecipeError(f"{out} holds a training; give --resume to continue it, or another --out")
    on = str(resolve_device(device))
    screen = err()
    with screen.status(f"reading {data}"):
        faces = open_faces(data)
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.toml").write_bytes(recipe.read_bytes())

    def say(sentence: str) -> None:
        screen.print(sentence, highlight=False, markup=False)

    def report(p: training_faces.FacesProgress) -> None:
        right = "" if p.accuracy is None else f"; right on faces kept aside {p.accuracy:.1%}"
        say(f"{plan.name}: epoch {p.epoch} of {p.epochs}: loss {p.loss:.3f}{right}")
        if p.broken:
            say(f"{len(p.broken)} pictures were skipped: {'; '.join(p.broken[:_NAMED])}")

    trained = training_faces.train_faces(
        plan,
        faces,
        out,
        resume=resume,
        device=on,
        cropper=Cropper(plan.crop, detector=load_detector_here),
        report=report,
        note=say,
    )
    entry = keeping_faces.keep(plan, trained, out)
    typer.echo(str(out / keeping_faces.WEIGHTS))
    say(f"To use it: affect-tracker networks add {entry.name} --checkpoint {out / keeping_faces.WEIGHTS}")
    return out / keeping_faces.WEIGHTS
