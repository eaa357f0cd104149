"""Backbones that the networks of the literature start from: published files, brought under our names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from tracker.fer.checkpoints import CheckpointError, read_weights
from tracker.fer.checkpoints_files import StoredTensor

PARTS: Mapping[str, tuple[str, ...]] = {
    "poster_v2": ("face_landback", "ir_back"),
    "dan": ("features",),
    "dmue_resnet18": ("base",),
    "dmue_resnet50ibn": ("base",),
}
"""Parts that a published backbone can fill, by architecture."""

FROZEN = frozenset(("face_landback",))
"""Parts that learn nothing once they were filled: POSTER++ keeps the landmark network as it is."""

# DAN numbers the children of a ResNet-18 whose files name them.
_NUMBERED = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
# What stands before every name in files of whole recognisers; DMUE's says feat_net.
_BEFORE = ("feat_net.", "backbone.", "base.", "features.")
# Entries that no emotion reaches, so that a backbone may lack them.
_IDLE = ("output_layer.", "num_batches_tracked")


def parts_of(architecture: str) -> tuple[str, ...]:
    """Return the parts of a network that can start from a file."""
    return PARTS.get(architecture, ())


def fill_backbone(network: nn.Module, part: str, path: Path) -> int:
    """Fill a part of a network from a published file and return how many of its entries were filled.

    Parameters
    ----------
    network
        One of those in `PARTS`.
    part
        One of its parts.
    path
        A file that ``torch.save`` wrote: a state dict, or a dict that holds one; nothing in it is executed.
        Entries that the part does not have (a recogniser's last stage) are passed over.

    Raises
    ------
    CheckpointError
        When the file cannot be read, lacks an entry that is needed, or has one of another shape.
    """
    target = network.get_submodule(part).state_dict()
    stored = _ours(read_weights(path), part)
    missing = [name for name in target if name not in stored and not any(idle in name for idle in _IDLE)]
    if missing:
        raise CheckpointError(
            f"{path} is no backbone for {part}: it lacks {missing[0]} ({len(missing)} entries)"
        )
    state: dict[str, Tensor] = {}
    for name, like in target.items():
        if name not in stored:
            continue
        if stored[name].shape != tuple(like.shape):
            if any(idle in name for idle in _IDLE):
                continue
            raise CheckpointError(
                f"{path} is no backbone for {part}: {name} has the shape {stored[name].shape}, not {tuple(like.shape)}"
            )
        state[name] = stored[name].read().to(like.dtype)
        if like.is_floating_point() and not bool(state[name].isfinite().all()):
            raise CheckpointError(f"{path} holds numbers that are not finite, in {name}")
    network.get_submodule(part).load_state_dict(state, strict=False)
    return len(state)


def _ours(stored: Mapping[str, StoredTensor], part: str) -> dict[str, StoredTensor]:
    found = dict(stored)
    for before in _BEFORE:
        within = {name.removeprefix(before): v for name, v in found.items() if name.startswith(before)}
        found = within or found
    if part != "features":
        return found
    renamed = {}
    for name, value in found.items():
        first, _, rest = name.partition(".")
        renamed[f"{_NUMBERED.get(first, first)}.{rest}"] = value
    return renamed
