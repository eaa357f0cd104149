"""Train a network from its recipe: resumable to the step, with the same result as an unbroken run.

Everything random in step s of a run is drawn after seeding with (recipe seed, s), so a checkpoint
needs no generator state, and a run that was killed repeats exactly the steps that it lost.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tracker.fer.networks import build
from tracker.fer.preprocess import standardise
from tracker.lab.augment import augment
from tracker.lab.datasets import LabelledFaces
from tracker.lab.recipe import Recipe, RecipeError

CHECKPOINT = "checkpoint.pt"
CHECKPOINT_EVERY = 100  # steps; a checkpoint of the default network is 24 MB


@dataclass(frozen=True)
class Progress:
    """Where a training stands after an epoch; accuracies of the averaged weights on PublicTest."""

    epoch: int
    epochs: int
    loss: float
    fer2013_accuracy: float
    ferplus_accuracy: float


@dataclass
class _Run:
    network: nn.Module
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
    report: Callable[[Progress], None] = lambda _: None,
) -> nn.Module:
    """Train on the Training split, watching PublicTest; PrivateTest is never looked at.

    Parameters
    ----------
    recipe
        What to train and how.
    faces
        All splits; see `tracker.lab.datasets.read_ferplus`.
    out
        Folder of ``checkpoint.pt``, written every 100 steps, whole or not at all.
    resume
        Continue from the checkpoint in `out`; without one, start at the beginning.
    device
        A torch device. bfloat16 autocast is used on CPUs and CUDA devices alike.
    report
        Called after each epoch.

    Returns
    -------
    nn.Module
        The exponential moving average of the weights, in evaluation mode.

    Raises
    ------
    RecipeError
        When the checkpoint to resume was made from another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    run = _start(recipe, device)
    checkpoint = out / CHECKPOINT
    if resume and checkpoint.is_file():
        _restore(run, recipe, checkpoint)
    training, public = faces.of("Training"), faces.of("PublicTest")
    images = torch.from_numpy(training.images).unsqueeze(1)
    ferplus, weight = vote_targets(training.votes)
    fer2013 = functional.one_hot(torch.from_numpy(training.labels), 7).float()
    smooth = recipe.label_smoothing
    fer2013 = fer2013 * (1 - smooth) + smooth / 7
    per_epoch = len(images) // recipe.batch_size
    losses: list[float] = []
    while run.step < per_epoch * recipe.epochs:
        epoch, position = divmod(run.step, per_epoch)
        order = np.random.default_rng((recipe.seed, epoch)).permutation(len(images))
        rows = torch.from_numpy(order[position * recipe.batch_size : (position + 1) * recipe.batch_size])
        torch.manual_seed(recipe.seed * 1_000_003 + run.step)
        losses.append(
            _step(run, recipe, per_epoch, images[rows], ferplus[rows], weight[rows], fer2013[rows], device)
        )
        if run.step % CHECKPOINT_EVERY == 0:
            _save(run, recipe, checkpoint)
        if run.step % per_epoch == 0:
            seven, eight = accuracies(run.average, public, device)
            report(Progress(run.step // per_epoch, recipe.epochs, float(np.mean(losses)), seven, eight))
            losses = []
    _save(run, recipe, checkpoint)
    return run.average.eval()


def vote_targets(votes: np.ndarray) -> tuple[Tensor, Tensor]:
    """Turn FER+ votes (N, 10) into distributions (N, 8) and weights (N,).

    Votes for "unknown" and "not a face" leave the distribution and lower the row's weight: a face that
    nobody could name teaches the FER+ head nothing (Barsoum et al. 2016 drop such rows altogether).
    """
    emotion = torch.from_numpy(votes[:, :8]).float()
    total = emotion.sum(1, keepdim=True)
    uniform = torch.full_like(emotion, 1 / 8)
    return torch.where(total > 0, emotion / total.clamp_min(1), uniform), total.squeeze(1) / 10


@torch.inference_mode()
def logits(network: nn.Module, faces: LabelledFaces, device: str = "cpu") -> dict[str, Tensor]:
    """Logits (N, classes) by head name in float32, without augmentation or test-time tricks."""
    network.eval()
    parts: dict[str, list[Tensor]] = {}
    for chunk in torch.from_numpy(faces.images).unsqueeze(1).split(256):  # type: ignore[no-untyped-call]
        x = standardise(chunk.to(device).float()).contiguous(memory_format=torch.channels_last)
        for name, z in network(x).items():
            parts.setdefault(name, []).append(z.float().cpu())
    return {name: torch.cat(z) for name, z in parts.items()}


def accuracies(network: nn.Module, faces: LabelledFaces, device: str = "cpu") -> tuple[float, float]:
    """Accuracy of the FER2013 head and of the FER+ head (label: most voted, where it is an emotion)."""
    z = logits(network, faces, device)
    seven = (z["fer2013"].argmax(1).numpy() == faces.labels).mean()
    most = faces.votes.argmax(1)
    rows = most < 8
    eight = (z["ferplus"].argmax(1).numpy() == most)[rows].mean()
    return float(seven), float(eight)


def _start(recipe: Recipe, device: str) -> _Run:
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
    return _Run(network, average, optimiser)


def _step(
    run: _Run,
    recipe: Recipe,
    per_epoch: int,
    images: Tensor,
    ferplus: Tensor,
    weight: Tensor,
    fer2013: Tensor,
    device: str,
) -> float:
    for group in run.optimiser.param_groups:
        group["lr"] = recipe.learning_rate * learning_rate_share(run.step / per_epoch, recipe)
    x = standardise(augment(images.float(), recipe.augmentation))
    if recipe.augmentation.mixup > 0:
        shape = torch.tensor(recipe.augmentation.mixup)
        share = float(torch.distributions.Beta(shape, shape).sample())
        other = torch.randperm(len(x))
        x, ferplus, weight, fer2013 = (
            share * t + (1 - share) * t[other] for t in (x, ferplus, weight, fer2013)
        )
    x = x.to(device).contiguous(memory_format=torch.channels_last)
    run.network.train()
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        out = run.network(x)
    votes = -(ferplus.to(device) * functional.log_softmax(out["ferplus"].float(), 1)).sum(1)
    loss = (votes * weight.to(device)).mean() + functional.cross_entropy(
        out["fer2013"].float(), fer2013.to(device)
    )
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    run.optimiser.step()
    run.step += 1
    _average(run, recipe.ema)
    return float(loss.detach())


@torch.no_grad()
def _average(run: _Run, decay: float) -> None:
    # The first steps' average would be the random start; a decay that grows with the step avoids it.
    decay = min(decay, (1 + run.step) / (10 + run.step))
    for mean, value in zip(run.average.parameters(), run.network.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
    for kept, now in zip(run.average.buffers(), run.network.buffers(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(now, 1 - decay)
        else:
            kept.copy_(now)


def learning_rate_share(epoch: float, recipe: Recipe) -> float:
    """The learning rate at a point of the training, as a share of the recipe's: warm-up, cosine, cooldown."""
    length = recipe.cosine or recipe.epochs

    def cosine(at: float) -> float:
        if at < recipe.warmup:
            return (at + 0.01) / (recipe.warmup + 0.01)
        return 0.5 * (1 + math.cos(math.pi * (at - recipe.warmup) / (length - recipe.warmup)))

    turn = recipe.epochs - recipe.cooldown
    if epoch <= turn:
        return cosine(epoch)
    return cosine(turn) * (recipe.epochs - epoch) / recipe.cooldown


def _save(run: _Run, recipe: Recipe, path: Path) -> None:
    partial = path.with_suffix(".partial")
    state = {
        "recipe": recipe.as_dict(),
        "step": run.step,
        "network": run.network.state_dict(),
        "average": run.average.state_dict(),
        "optimiser": run.optimiser.state_dict(),
    }
    torch.save(state, partial)
    partial.replace(path)


def _restore(run: _Run, recipe: Recipe, path: Path) -> None:
    state = torch.load(path, weights_only=True)
    if state["recipe"] != recipe.as_dict():
        raise RecipeError(
            f"{path} was made from another recipe; train into a new folder or restore the recipe"
        )
    run.network.load_state_dict(state["network"])
    run.average.load_state_dict(state["average"])
    run.optimiser.load_state_dict(state["optimiser"])
    run.step = state["step"]
