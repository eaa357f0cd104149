"""The four networks of the comparison literature: as published, and small enough to be tried in seconds."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tracker.fer.networks import build

PUBLISHED: dict[str, dict[str, Any]] = {
    "poster_v2": {},
    "dan": {},
    "dmue_resnet18": {},
    "dmue_resnet50ibn": {},
}

SMALL: dict[str, dict[str, Any]] = {**PUBLISHED, "poster_v2": {"side": 32, "blocks": (1, 1, 1), "token": 64}}
"""At `SMALL_SIDE` pixels these cost a fiftieth of what the published ones do at 224."""

SMALL_SIDE = 64


def described(name: str, classes: int) -> nn.Module:
    """A network as published, without its numbers: no memory, no time."""
    with torch.device("meta"):
        return build(name, classes=classes)


def filled(name: str, classes: int = 7, **arguments: Any) -> nn.Module:
    """A network in evaluation mode whose every entry, statistics too, differs from what it starts as."""
    network = build(name, classes=classes, **arguments)
    for key, value in network.state_dict().items():
        if not value.is_floating_point():
            continue
        random = torch.Generator().manual_seed(zlib.crc32(key.encode()))
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=random)
        elif value.ndim < 2:
            value.normal_(1.0 if key.endswith("weight") else 0.0, 0.1, generator=random)
        else:
            value.normal_(0, value[0].numel() ** -0.5, generator=random)
    return network.eval()


def small(name: str, classes: int = 7) -> nn.Module:
    return filled(name, classes, **SMALL[name])


def faces(n: int, side: int = SMALL_SIDE, seed: int = 0) -> Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.standard_normal((n, 3, side, side)).astype(np.float32))
