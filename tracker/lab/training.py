"""Train a network from its recipe: resumable to the step, with the same result as an unbroken run.

Everything random in step s of a run is drawn after seeding with (recipe seed, s), so a checkpoint
needs no generator state, and a run that was killed repeats exactly the steps that it lost: to the bit on a
CPU, up to the order in which a GPU adds on a GPU.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tracker.fer.networks import build
from tracker.fer.preprocess import standardise
from tracker.lab.augment import augment
from tracker.lab.datasets import LabelledFaces
from tracker.lab.learning_rate import learning_rate_share
from tracker.lab.mixing import mix
from tracker.lab.recipe import Recipe, RecipeError
from tracker.lab.resuming import read_checkpoint, write_checkpoint
from tracker.lab.targets import Targets, targets_of

CHECKPOINT = "checkpoint.pt"
CHECKPOINT_EVERY = 100  # steps; a checkpoint of the default network is 24 MB

Reader = Callable[[Tensor], dict[str, Tensor]]
"""A network's forward pass, compiled or not."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands after an epoch; accuracies of the averaged weights on PublicTest."""

    epoch: int
    epochs: int
    loss: float
    fer2013_accuracy: float
    ferplus_accuracy: float
    network: str = ""


Report = Callable[[Progress], None]


@dataclass
class _Run:
    network: nn.Module
    forward: Reader
    average: nn.Module
    optimiser: torch.optim.SGD
    step: int = 0


def train(
    recipe: Recipe,
    faces: LabelledFaces,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    compiled: bool = False,
    teachers: Path | None = None,
    report: Report = lambda _: None,
) -> nn.Module:
    """Train on the Training split, watching PublicTest; PrivateTest is never looked at.

    Parameters
    ----------
    recipe
        What to train and how; where it distils, its teachers are trained first.
    faces
        All splits; see `tracker.lab.datasets.read_ferplus`.
    out
        Folder of ``checkpoint.pt``, written every 100 steps, whole or not at all.
    resume
        Continue from the checkpoint in `out`; without one, start at the beginning.
    device
        A torch device. bfloat16 autocast is used on CPUs and CUDA devices alike.
    compiled
        Compile the forward and backward pass (`torch.compile`): a minute at the start, then faster on a GPU.
    teachers
        Folder of the teachers' trainings, ``teacher-SEED`` each; `out` unless given. Those that are
        finished there are used, the others trained or continued.
    report
        Called after each epoch, of teachers too.

    Returns
    -------
    nn.Module
        The exponential moving average of the weights, in evaluation mode.

    Raises
    ------
    RecipeError
        When a checkpoint to resume was made from another recipe or from other faces, or there are too few for a batch.
    """
    training, public = faces.of("Training"), faces.of("PublicTest")
    if len(training) < recipe.batch_size:
        raise RecipeError(
            f"a batch of {recipe.batch_size} needs as many faces; there are {len(training)} to learn from"
        )
    learnt = training.identity()
    taught: list[Reader] = []
    first: nn.Module | None = None
    if recipe.distillation is not None:
        for teacher in recipe.distillation.teachers():
            folder = (teachers or out) / f"teacher-{teacher.seed}"
            made = train(teacher, faces, folder, resume=True, device=device, compiled=compiled, report=report)
            first = first or made
            taught.append(_compiled(made.requires_grad_(False)) if compiled else made)
    out.mkdir(parents=True, exist_ok=True)
    run = _start(recipe, device, compiled)
    if first is not None and recipe.distillation is not None and recipe.distillation.start:
        run.network.load_state_dict(first.state_dict())
        run.average.load_state_dict(first.state_dict())
    checkpoint = out / CHECKPOINT
    if resume and checkpoint.is_file():
        _restore(run, recipe, learnt, checkpoint, device)
    images = torch.from_numpy(training.images).unsqueeze(1).to(device)
    targets = targets_of(training, recipe.label_smoothing, device)
    per_epoch = len(images) // recipe.batch_size
    losses: list[Tensor] = []
    saved = run.step
    while run.step < per_epoch * recipe.epochs:
        epoch, position = divmod(run.step, per_epoch)
        if position == 0 or run.step == saved:
            order = np.random.default_rng((recipe.seed, epoch)).permutation(len(images))
            shuffled = torch.from_numpy(order).to(device)
        rows = shuffled[position * recipe.batch_size : (position + 1) * recipe.batch_size]
        torch.manual_seed(recipe.seed * 1_000_003 + run.step)
        losses.append(_step(run, recipe, per_epoch, images[rows], targets.rows(rows), taught))
        if run.step % CHECKPOINT_EVERY == 0:
            _save(run, recipe, learnt, checkpoint)
        if run.step % per_epoch == 0:
            seven, eight = accuracies(run.average, public, device)
            loss = float(torch.stack(losses).mean())
            report(Progress(run.step // per_epoch, recipe.epochs, loss, seven, eight, recipe.name))
            losses = []
    _save(run, recipe, learnt, checkpoint)
    return run.average.eval()


@torch.inference_mode()
def logits(network: nn.Module, faces: LabelledFaces, device: str = "cpu") -> dict[str, Tensor]:
    """Logits (N, classes) by head name in float32, without augmentation or test-time tricks."""
    network.eval()
    parts: dict[str, list[Tensor]] = {}
    for chunk in torch.from_numpy(faces.images).unsqueeze(1).split(256):  # type: ignore[no-untyped-call]
        x = standardise(chunk.to(device).float()).contiguous(memory_format=torch.channels_last)
        for name, z in network(x).items():
            parts.setdefault(name, []).append(z.float())
    return {name: torch.cat(z).cpu() for name, z in parts.items()}


def accuracies(network: nn.Module, faces: LabelledFaces, device: str = "cpu") -> tuple[float, float]:
    """Accuracy of the FER2013 head and of the FER+ head (label: most voted, where it is an emotion)."""
    z = logits(network, faces, device)
    seven = (z["fer2013"].argmax(1).numpy() == faces.labels).mean()
    most = faces.votes.argmax(1)
    rows = most < 8
    eight = (z["ferplus"].argmax(1).numpy() == most)[rows].mean()
    return float(seven), float(eight)


def _start(recipe: Recipe, device: str, compiled: bool) -> _Run:
    torch.manual_seed(recipe.seed)
    network = build(recipe.architecture, **recipe.arguments)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).requires_grad_(False)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
    )
    return _Run(network, _compiled(network) if compiled else network, average, optimiser)


def _compiled(network: nn.Module) -> Reader:
    forward: Reader = torch.compile(network, dynamic=False)
    return forward


def _step(
    run: _Run,
    recipe: Recipe,
    per_epoch: int,
    images: Tensor,
    targets: Targets,
    taught: Sequence[Reader],
) -> Tensor:
    for group in run.optimiser.param_groups:
        group["lr"] = recipe.learning_rate * learning_rate_share(run.step / per_epoch, recipe)
    x = standardise(augment(images.float(), recipe.augmentation))
    x, mixed = mix(x, (targets.ferplus, targets.weight, targets.fer2013), recipe.augmentation)
    targets = Targets(*mixed)
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast(x.device.type, torch.bfloat16):
        if taught and recipe.distillation is not None:
            targets = targets.blended(_answers(taught, x), recipe.distillation.share)
        run.network.train()
        out = run.forward(x)
    loss = targets.loss(out)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    run.optimiser.step()
    run.step += 1
    _average(run, recipe.ema)
    return loss.detach()


@torch.no_grad()
def _answers(taught: Sequence[Reader], x: Tensor) -> dict[str, Tensor]:
    each = [{name: z.float().softmax(1) for name, z in teacher(x).items()} for teacher in taught]
    return {name: torch.stack([one[name] for one in each]).mean(0) for name in each[0]}


@torch.no_grad()
def _average(run: _Run, decay: float) -> None:
    # The first steps' average would be the random start; a decay that grows with the step avoids it.
    decay = min(decay, (1 + run.step) / (10 + run.step))
    kept = list(run.average.parameters()) + [b for b in run.average.buffers() if b.is_floating_point()]
    now = list(run.network.parameters()) + [b for b in run.network.buffers() if b.is_floating_point()]
    torch._foreach_lerp_(kept, now, 1 - decay)
    for count, new in zip(run.average.buffers(), run.network.buffers(), strict=True):
        if not count.is_floating_point():
            count.copy_(new)


def _save(run: _Run, recipe: Recipe, learnt: str, path: Path) -> None:
    write_checkpoint(
        path,
        recipe.as_dict(),
        step=run.step,
        faces=learnt,
        network=run.network.state_dict(),
        average=run.average.state_dict(),
        optimiser=run.optimiser.state_dict(),
    )


def _restore(run: _Run, recipe: Recipe, learnt: str, path: Path, device: str) -> None:
    state = read_checkpoint(path, recipe.as_dict(), device)
    if state.get("faces", learnt) != learnt:  # older checkpoints do not say
        raise RecipeError(f"{path} was made from other faces; train into a new folder or restore the data")
    run.network.load_state_dict(state["network"])
    run.average.load_state_dict(state["average"])
    run.optimiser.load_state_dict(state["optimiser"])
    run.step = state["step"]
