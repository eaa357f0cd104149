"""From a training to a folder under ``models/``: weights, temperatures, figures, card, manifest entry."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from tracker.domain.framing import CropSpec
from tracker.fer.calibration import fit_temperature
from tracker.fer.engine import Engine
from tracker.fer.manifest import Entry, Head, NetworkSpec, read_manifest
from tracker.fer.weights import pack_weights, unpack_weights
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Network
from tracker.lab.card import render_card
from tracker.lab.datasets import SPLITS, LabelledFaces
from tracker.lab.evaluation import read_logits
from tracker.lab.figures import Mask, measure, read_figures, write_figures
from tracker.lab.recipe import Recipe
from tracker.lab.training import CHECKPOINT
from tracker.lab.truth import CLASSES, truth

LICENCE = "MIT for the file; trained on FER2013 and FER+ (research use)"
TERMS = "Made from research data: for research and personal use, not for commercial decisions about people."
SIZE_LIMIT = 30_000_000  # bytes; what a wheel and a clone can bear


class PackagingError(ValueError):
    """A training that cannot be shipped."""


@dataclass(frozen=True)
class Trained:
    """What a training left behind: its recipe, the averaged weights, and whether it ran to its end."""

    recipe: Recipe
    weights: Mapping[str, Tensor]
    step: int
    steps: int

    @property
    def finished(self) -> bool:
        """Whether every step of the recipe was made."""
        return self.step >= self.steps


def read_training(out: Path, faces: LabelledFaces) -> Trained:
    """Read the checkpoint of a training on `faces`.

    Raises
    ------
    PackagingError
        When there is none, or it is damaged.
    """
    path = out / CHECKPOINT
    if not path.is_file():
        raise PackagingError(f"{path} does not exist; train first: affect-tracker fer train")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        recipe = Recipe.from_dict(state["recipe"])
        weights, step = state["average"], int(state["step"])
    except (
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
        OSError,
        EOFError,
        UnpicklingError,
    ) as error:
        raise PackagingError(f"{path} is not a checkpoint of this software: {error}") from error
    training = int((faces.split == SPLITS.index("Training")).sum())
    return Trained(recipe, weights, step, training // recipe.batch_size * recipe.epochs)


def package(
    out: Path,
    faces: LabelledFaces,
    models: Path,
    *,
    today: date,
    near_duplicates: Mask | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Entry:
    """Make ``models/<name>/`` and the manifest's entry from a training folder.

    Temperatures are fitted on PublicTest. PrivateTest is read once for given weights, when the training is
    finished; later calls with the same weights keep their temperatures, take those figures from
    ``figures.json`` and only write the card anew. An unfinished training gives a provisional network,
    judged on PublicTest alone.

    Parameters
    ----------
    out
        Where `tracker.lab.training.train` wrote.
    faces
        All splits.
    models
        The folder of the manifest. Framing, licence and terms of an entry that is there are kept.
    today
        Stands in the card as the day when PrivateTest was read.
    near_duplicates
        Mask (N,) of faces nearly equal to a training face; figures then stand in the card without them too.
    report
        Told what is being done.

    Raises
    ------
    PackagingError
        When the checkpoint is missing, damaged or too large, or the folder's recipe is another.
    """
    trained = read_training(out, faces)
    recipe = trained.recipe
    folder = models / recipe.name
    _keep_recipe(recipe, out, folder)
    manifest = models / "manifest.toml"
    entries = read_manifest(manifest) if manifest.is_file() else {}
    entry, data = _entry(trained, faces.images.shape[1], entries.get(recipe.name))
    module = unpack_weights(data, entry)
    if (before := entries.get(recipe.name)) is not None and before.sha256 == entry.sha256:
        entry = before  # judged with these temperatures: the figures would not be theirs with others
    else:
        report("temperatures on PublicTest")
        entry = _calibrated(entry, module, faces.of("PublicTest"))
    figures = measure(
        Engine(Network(entry, module), "cpu"),
        faces,
        training=f"step {trained.step} of {trained.steps}",
        final=trained.finished,
        today=today,
        near_duplicates=near_duplicates,
        known=read_figures(folder / "figures.json", entry.sha256),
        report=report,
    )
    # Last, and the manifest last of all: what the manifest names is there, whenever this is interrupted.
    _write(models / entry.file, data)
    write_figures(folder / "figures.json", figures)
    parameters = sum(p.numel() for p in module.parameters())
    _write(models / entry.card, render_card(entry, recipe, figures, parameters).encode())
    write_manifest(manifest, {**entries, recipe.name: entry}.values())
    return entry


def _entry(trained: Trained, side: int, before: Entry | None) -> tuple[Entry, bytes]:
    recipe = trained.recipe
    spec = NetworkSpec(
        recipe.architecture,
        recipe.arguments,
        tuple(
            Head(head, CLASSES[head], smoothing=recipe.label_smoothing if head == "fer2013" else 0.0)
            for head in recipe.arguments["heads"]
        ),
        before.spec.crop if before else CropSpec(size=side),
    )
    data = pack_weights(trained.weights, spec, half=recipe.stored == "float16")
    if len(data) > SIZE_LIMIT:
        raise PackagingError(f"{recipe.name} has {len(data)} bytes of weights; at most {SIZE_LIMIT} can ship")
    entry = Entry(
        name=recipe.name,
        kind="network",
        file=f"{recipe.name}/weights.safetensors",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        licence=before.licence if before else LICENCE,
        terms=before.terms if before else TERMS,
        card=f"{recipe.name}/card.md",
        network=spec,
    )
    return entry, data


def _calibrated(entry: Entry, module: nn.Module, public: LabelledFaces) -> Entry:
    logits = read_logits(Engine(Network(entry, module), "cpu"), public)
    heads = []
    for head in entry.spec.heads:
        rows, labels = truth(public, head.name, head.classes)
        temperature = fit_temperature(logits[head.name][rows], labels, head.smoothing)
        heads.append(replace(head, temperature=round(temperature, 6)))
    return replace(entry, network=replace(entry.spec, heads=tuple(heads)))


def _keep_recipe(recipe: Recipe, out: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "recipe.toml"
    if not kept.is_file() and (out / "recipe.toml").is_file():
        shutil.copyfile(out / "recipe.toml", kept)
    if not kept.is_file():
        raise PackagingError(f"{kept} is missing; put the recipe of the training there")
    if Recipe.load(kept) != recipe:
        raise PackagingError(
            f"{kept} is not the recipe of {out}; a network ships with the recipe that made it"
        )


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
