"""One file per architecture; `build` makes one by name, with random weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from tracker.fer.networks.dan import Dan
from tracker.fer.networks.dmue import DmueResNet18, DmueResNet50Ibn
from tracker.fer.networks.outputs import by_head
from tracker.fer.networks.poster_v2 import PosterV2
from tracker.fer.networks.se_resnet import SeResNet

__all__ = ["ARCHITECTURES", "build", "by_head"]

_ARCHITECTURES: dict[str, type[nn.Module]] = {
    "se_resnet": SeResNet,
    "poster_v2": PosterV2,
    "dan": Dan,
    "dmue_resnet18": DmueResNet18,
    "dmue_resnet50ibn": DmueResNet50Ibn,
}

ARCHITECTURES = tuple(_ARCHITECTURES)
"""Names that `build` knows."""


def build(architecture: str, **arguments: Any) -> nn.Module:
    """Make an untrained network.

    Parameters
    ----------
    architecture
        ``"se_resnet"`` (ours), or a network of the comparison literature: ``"poster_v2"``, ``"dan"``,
        ``"dmue_resnet18"``, ``"dmue_resnet50ibn"``.
    arguments
        Passed to the architecture's class; they stand in the network's manifest. ``heads={name: classes}``
        for ``se_resnet``, ``classes=7`` or ``classes=8`` for the others.

    Raises
    ------
    ValueError
        For an architecture that is not known.
    TypeError
        For arguments that it does not take.

    Examples
    --------
    >>> sum(p.numel() for p in build("dmue_resnet18", classes=8).parameters())
    11181632
    """
    if architecture not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise ValueError(f"unknown architecture {architecture!r}; known: {known}")
    return _ARCHITECTURES[architecture](**arguments)
