"""Train a network of the literature on labelled faces: resumable to the step, with the same result.

As in `tracker.lab.training`, everything random in a step is drawn after seeding with (recipe seed, step). The
weights of the last step are what is kept: the data's own test split is never looked at, here or to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.fer.calibration import fit_temperature
from tracker.fer.networks import build, by_head
from tracker.fer.preprocess import prepare
from tracker.lab.augment import augment
from tracker.lab.backbones import FROZEN, fill_backbone, parts_of
from tracker.lab.dan_losses import Losses
from tracker.lab.datasets.cropping import Cropper
from tracker.lab.datasets.faces import FaceSet
from tracker.lab.datasets.loading import Batch, batches
from tracker.lab.faces_recipe import FacesRecipe
from tracker.lab.learning_faces import Lesson, lesson_of
from tracker.lab.recipe import RecipeError
from tracker.lab.resuming import read_checkpoint, write_checkpoint
from tracker.lab.sharpness import climb, go_back, statistics_kept

CHECKPOINT = "checkpoint.pt"
CHECKPOINT_EVERY = 200  # steps; a checkpoint of POSTER++ is 600 MB
HEAD = "emotion"


@dataclass(frozen=True)
class FacesProgress:
    """Where a training stands after an epoch."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    """Of the reserved faces; None when none are reserved."""
    broken: tuple[str, ...] = ()
    """Pictures that could not be read in this epoch, and why."""


@dataclass
class Trained:
    """What a training leaves."""

    network: nn.Module
    classes: tuple[str, ...]
    temperature: float
    notes: tuple[str, ...]


@dataclass
class _Run:
    network: nn.Module
    losses: Losses
    optimiser: torch.optim.Optimizer
    frozen: list[nn.Module] = field(default_factory=list)
    step: int = 0


def train_faces(
    recipe: FacesRecipe,
    faces: FaceSet,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    cropper: Cropper | None = None,
    report: Callable[[FacesProgress], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on the training split of any labelled faces.

    Parameters
    ----------
    recipe
        What to train and how.
    faces
        Of `tracker.lab.datasets.opening.open_faces`; all splits.
    out
        Folder of ``checkpoint.pt``, written every 200 steps, whole or not at all.
    resume
        Continue from the checkpoint in `out`; without one, start at the beginning.
    device
        A torch device; bfloat16 autocast is used on CUDA.
    cropper
        How faces are cut; by the recipe's framing unless given.
    report
        Called after each epoch.
    note
        Called with sentences about what this training starts from and leaves out.

    Raises
    ------
    RecipeError
        When the data do not suit the recipe, a backbone is for no part of the network, or the checkpoint
        to resume is of another recipe or of other data.
    CheckpointError
        When a backbone's file is not what it should be.
    """
    lesson = lesson_of(recipe, faces)
    out.mkdir(parents=True, exist_ok=True)
    cropper = cropper or Cropper(recipe.crop)
    run, notes = _start(recipe, lesson, device)
    notes = (*lesson.notes, *notes)
    for sentence in notes:
        note(sentence)
    checkpoint = out / CHECKPOINT
    if resume and checkpoint.is_file():
        _restore(run, recipe, lesson, checkpoint, device)
    per_epoch = len(lesson.learnt) // recipe.batch_size
    while run.step < per_epoch * recipe.epochs:
        epoch, position = divmod(run.step, per_epoch)
        rows = lesson.order(recipe, epoch)[position * recipe.batch_size : per_epoch * recipe.batch_size]
        losses, broken = list[Tensor](), list[str]()
        for group in run.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * recipe.decay**epoch
        for batch in batches(faces, rows, cropper, recipe.batch_size):
            broken += [why for _, why in batch.broken]
            torch.manual_seed(recipe.seed * 1_000_003 + run.step)
            if len(batch.rows) > 1:  # one face alone has no statistics
                losses.append(_step(run, recipe, batch, lesson.labels, device))
            run.step += 1
            if run.step % CHECKPOINT_EVERY == 0:
                _save(run, recipe, lesson, checkpoint)
        if not losses:
            why = f": {broken[0]}" if broken else "; a batch of one face has no statistics"
            raise RecipeError(f"nothing can be learnt in epoch {epoch + 1}{why}")
        right = accuracy(run.network, recipe, faces, lesson, cropper, device)
        report(
            FacesProgress(epoch + 1, recipe.epochs, float(torch.stack(losses).mean()), right, tuple(broken))
        )
    _save(run, recipe, lesson, checkpoint)
    z, labels = _read(run.network, recipe, faces, lesson, cropper, device)
    temperature = fit_temperature(z, labels, recipe.label_smoothing) if len(labels) else 1.0
    return Trained(run.network.eval().cpu(), lesson.classes, round(temperature, 6), notes)


def accuracy(
    network: nn.Module, recipe: FacesRecipe, faces: FaceSet, lesson: Lesson, cropper: Cropper, device: str
) -> float | None:
    """Share of the reserved faces that are read as they are labelled; None when none are reserved."""
    z, labels = _read(network, recipe, faces, lesson, cropper, device)
    return float((z.argmax(1) == labels).mean()) if len(labels) else None


@torch.inference_mode()
def _read(
    network: nn.Module, recipe: FacesRecipe, faces: FaceSet, lesson: Lesson, cropper: Cropper, device: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    network.eval()
    logits, rows = [np.zeros((0, len(lesson.classes)), np.float32)], [np.zeros(0, np.int64)]
    for batch in batches(faces, lesson.reserved, cropper, 64):
        x = prepare(torch.from_numpy(batch.crops).to(device), recipe.normalisation)
        logits.append(by_head(network(x), [HEAD])[HEAD].float().cpu().numpy())
        rows.append(batch.rows)
    return np.concatenate(logits), lesson.labels[np.concatenate(rows)]


def _start(recipe: FacesRecipe, lesson: Lesson, device: str) -> tuple[_Run, tuple[str, ...]]:
    torch.manual_seed(recipe.seed)
    try:
        network = build(recipe.architecture, **{**recipe.arguments, "classes": len(lesson.classes)})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"arguments of {recipe.architecture}: {error}") from error
    losses = Losses(len(lesson.classes), recipe.label_smoothing, recipe.affinity, recipe.partition)
    parts = parts_of(recipe.architecture)
    if strange := sorted(set(recipe.backbones) - set(parts)):
        raise RecipeError(f"{recipe.architecture} has no part {strange[0]!r}; its parts: {', '.join(parts)}")
    frozen, notes = [], []
    for part in parts:
        if part not in recipe.backbones:
            notes.append(f"{part} starts from random weights and learns: the recipe names no file for it.")
            continue
        filled = fill_backbone(network, part, Path(recipe.backbones[part]))
        if part in FROZEN:
            frozen.append(network.get_submodule(part).requires_grad_(False))
        kept = "and stays as it is" if part in FROZEN else "and learns on"
        notes.append(f"{part} starts from {recipe.backbones[part]} ({filled} entries) {kept}.")
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    losses = losses.to(device)
    learning = [p for p in (*network.parameters(), *losses.parameters()) if p.requires_grad]
    return _Run(network, losses, _optimiser(recipe, learning), frozen), tuple(notes)


def _optimiser(recipe: FacesRecipe, learning: list[nn.Parameter]) -> torch.optim.Optimizer:
    if recipe.optimiser == "adam":
        return torch.optim.Adam(learning, recipe.learning_rate, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        learning, recipe.learning_rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
    )


def _step(run: _Run, recipe: FacesRecipe, batch: Batch, labels: NDArray[np.int64], device: str) -> Tensor:
    crops = torch.from_numpy(batch.crops).to(device).permute(0, 3, 1, 2).float()
    x = prepare(augment(crops, recipe.augmentation).permute(0, 2, 3, 1), recipe.normalisation)
    y = torch.from_numpy(labels[batch.rows]).to(device)
    run.network.train()
    for part in run.frozen:
        part.eval()
    loss = _backward(run, x, y)
    if recipe.sharpness > 0:
        moved = [p for group in run.optimiser.param_groups for p in group["params"] if p.grad is not None]
        before = climb(moved, recipe.sharpness)
        with statistics_kept(run.network):
            _backward(run, x, y)
        go_back(moved, before)
    run.optimiser.step()
    return loss


def _backward(run: _Run, x: Tensor, y: Tensor) -> Tensor:
    run.optimiser.zero_grad(set_to_none=True)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.device.type == "cuda"):
        output = run.network(x)
    loss: Tensor = run.losses(output, y)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _save(run: _Run, recipe: FacesRecipe, lesson: Lesson, path: Path) -> None:
    write_checkpoint(
        path,
        recipe.as_dict(),
        step=run.step,
        faces=lesson.identity(),
        network=run.network.state_dict(),
        losses=run.losses.state_dict(),
        optimiser=run.optimiser.state_dict(),
    )


def _restore(run: _Run, recipe: FacesRecipe, lesson: Lesson, path: Path, device: str) -> None:
    state = read_checkpoint(path, recipe.as_dict(), device)
    if state["faces"] != lesson.identity():
        raise RecipeError(f"{path} was made from other faces; train into a new folder or restore the data")
    run.network.load_state_dict(state["network"])
    run.losses.load_state_dict(state["losses"])
    run.optimiser.load_state_dict(state["optimiser"])
    run.step = state["step"]
