"""One file per architecture; `build` makes one by name, with random weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from tracker.fer.networks.outputs import by_head
from tracker.fer.networks.se_resnet import SeResNet

__all__ = ["build", "by_head"]

_ARCHITECTURES: dict[str, type[nn.Module]] = {"se_resnet": SeResNet}


def build(architecture: str, **arguments: Any) -> nn.Module:
    """Make an untrained network.

    Parameters
    ----------
    architecture
        ``"se_resnet"``.
    arguments
        Passed to the architecture's class; they stand in the network's manifest.

    Raises
    ------
    ValueError
        For an architecture that is not known.
    """
    if architecture not in _ARCHITECTURES:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise ValueError(f"unknown architecture {architecture!r}; known: {known}")
    return _ARCHITECTURES[architecture](**arguments)
