"""Sharpness-aware minimisation: the gradient is taken where the loss is highest nearby.

Foret et al. 2021 (arXiv 2010.01412). POSTER++ is trained with it (radius 0.05, around Adam).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@torch.no_grad()
def climb(parameters: Sequence[Tensor], radius: float) -> list[Tensor]:
    """Move parameters along their gradients by `radius` in all, and return what they were.

    Where the gradient is 0 everywhere, nothing moves.

    Examples
    --------
    >>> w = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> w.square().sum().div(2).backward()
    >>> before = climb([w], 0.5)
    >>> [round(v, 4) for v in w.tolist()]
    [3.3, 4.4]
    >>> go_back([w], before)
    >>> w.tolist()
    [3.0, 4.0]
    """
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    length = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    before = [p.detach().clone() for p in parameters]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.add_(gradient * (radius / (length + 1e-12)))
    return before


@torch.no_grad()
def go_back(parameters: Sequence[Tensor], before: Sequence[Tensor]) -> None:
    """Give parameters the values that `climb` returned."""
    for parameter, value in zip(parameters, before, strict=True):
        parameter.copy_(value)


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let a forward pass change no running statistics: those of the climbed weights belong to nobody."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
