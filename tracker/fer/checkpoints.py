"""Checkpoints as authors publish them, turned into weights that this project reads; nothing is executed.

POSTER++ (arXiv 2301.12149) saves from ``DataParallel`` beside pickled instances of its training script's own
classes, DAN (arXiv 2109.07270) under ``model_state_dict``, DMUE (arXiv 2104.00232) with all branches of its
training. What a file is, is told by its entries; what it was said to be must agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tracker.fer.checkpoints_files import StoredTensor, TorchFile, read_torch_file
from tracker.fer.checkpoints_forms import Form, describe, recognise, target_branch
from tracker.fer.checkpoints_pickle import CheckpointError, Kept, Made, Name
from tracker.fer.networks import build
from tracker.fer.networks.cross_attention import relative_positions

__all__ = ["CheckpointError", "Form", "convert", "identify", "read_weights"]

_WRAPPINGS = ("state_dict", "model_state_dict")
_PREFIX = "module."


def convert(path: Path, architecture: str, classes: int) -> dict[str, Tensor]:
    """Read a published checkpoint into the state dict of one of our networks.

    Parameters
    ----------
    path
        A file that ``torch.save`` wrote: a state dict, or a dict that holds one.
    architecture
        ``poster_v2``, ``dan``, ``dmue_resnet18`` or ``dmue_resnet50ibn``.
    classes
        7 or 8.

    Returns
    -------
    dict
        Entries of ``build(architecture, classes=classes)`` in its order, floats as float32, on the CPU.

    Raises
    ------
    CheckpointError
        In one line: a file that is missing, truncated, damaged or none of torch's; an optimizer's state or a
        whole pickled network in place of weights; another architecture or number of classes; entries that
        are missing, unknown or of another shape; weights that are not finite.
    """
    stored = read_weights(path)
    try:
        form = _recognised(stored)
        _check_form(form, architecture, classes)
        names = target_branch(stored, classes) if form.branches else {name: name for name in stored}
        return _read({name: stored[held] for name, held in names.items()}, architecture, classes)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error


def identify(path: Path) -> Form:
    """Say which network's weights a file holds, and for how many classes.

    Raises
    ------
    CheckpointError
        When it cannot be read or holds none of the networks known here.
    """
    stored = read_weights(path)
    try:
        return _recognised(stored)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error


def read_weights(path: Path) -> dict[str, StoredTensor]:
    """List the weights in a file, wherever they lie in it, without ``module.`` before their names.

    Their numbers are read when asked for. For backbones, which are no networks of ours.

    Raises
    ------
    CheckpointError
        When the file cannot be read, or holds no weights.
    """
    file = read_torch_file(path)
    try:
        weights = _weights(file)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error
    while weights and all(name.startswith(_PREFIX) for name in weights):
        weights = {name.removeprefix(_PREFIX): value for name, value in weights.items()}
    return weights


def _weights(file: TorchFile) -> dict[str, StoredTensor]:
    tree = file.tree
    for wrapping in _WRAPPINGS:
        if isinstance(tree, dict) and isinstance(tree.get(wrapping), dict):
            tree = tree[wrapping]
            break
    if not isinstance(tree, dict):
        raise CheckpointError(f"holds {_kind(tree)}, not weights; save a network's state_dict()")
    if "param_groups" in tree:
        raise CheckpointError(
            "holds an optimizer's state, not weights; POSTER++ saves it as *_model_best.pth: give the file "
            "beside it, without _best"
        )
    found = {name: file.tensor(value) for name, value in tree.items() if isinstance(name, str)}
    weights = {name: value for name, value in found.items() if value is not None}
    if not weights:
        raise CheckpointError("holds no weights")
    return weights


def _kind(tree: Any) -> str:
    while isinstance(tree, (Made, Kept)):  # older pickles make an object by way of others
        parts = tree.id if isinstance(tree, Kept) else tree.arguments
        named = [part for part in parts if isinstance(part, Name)] if isinstance(parts, tuple) else []
        tree = named[0] if named else getattr(tree, "what", None)
    return (
        f"a whole object ({tree.module}.{tree.name})"
        if isinstance(tree, Name)
        else f"a {type(tree).__name__}"
    )


def _recognised(stored: Mapping[str, StoredTensor]) -> Form:
    form = recognise({name: value.shape for name, value in stored.items()})
    if form is None:
        raise CheckpointError(f"holds {describe(stored)}, not POSTER++, DAN or DMUE")
    return form


def _check_form(form: Form, architecture: str, classes: int) -> None:
    if form.architecture != architecture:
        raise CheckpointError(f"holds {form.architecture}, not {architecture}")
    if form.classes != classes:
        raise CheckpointError(f"tells {form.classes} classes apart, not {classes}")
    if form.branches not in (0, classes + 1):
        raise CheckpointError(
            f"is DMUE's training form with {form.branches} branches; {classes} classes need {classes + 1}"
        )


def _read(stored: Mapping[str, StoredTensor], architecture: str, classes: int) -> dict[str, Tensor]:
    with torch.device("meta"):
        expected = build(architecture, classes=classes).state_dict()
    counters = {name for name in expected if name.endswith("num_batches_tracked")}
    # Files from before torch 0.4.1 lack the counters, which evaluation never reads.
    missing = [name for name in expected if name not in stored and name not in counters]
    unknown = [name for name in stored if name not in expected]
    if missing or unknown:
        what = f"lacks {_some(missing)}" if missing else f"has the unknown {_some(unknown)}"
        raise CheckpointError(f"is no {architecture} as published: it {what}")
    for name, value in stored.items():
        if value.shape != tuple(expected[name].shape):
            raise CheckpointError(
                f"is no {architecture} with {classes} classes: {name} has the shape {value.shape}, not "
                f"{tuple(expected[name].shape)}"
            )
    state = {
        name: stored[name].read().to(like.dtype) if name in stored else torch.zeros((), dtype=like.dtype)
        for name, like in expected.items()
    }
    _check_numbers(state, architecture)
    return state


def _check_numbers(state: Mapping[str, Tensor], architecture: str) -> None:
    for name, value in state.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise CheckpointError(f"holds numbers that are not finite, in {name}; its training failed")
        # Loading would replace even the table of positions, which is part of the architecture.
        table = name.endswith("relative_position_index")
        if table and not torch.equal(value, relative_positions(isqrt(len(value)))):
            raise CheckpointError(f"numbers places in another way than {architecture} does, in {name}")


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + rest
