"""Mixtures of training faces: two pictures weighed (mixup) or one cut into the other (cutmix), labels alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tracker.lab.augment import Augmentation


def mix(x: Tensor, targets: tuple[Tensor, ...], how: Augmentation) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Mix a batch with itself in another order.

    Parameters
    ----------
    x
        Faces (N, C, H, W), as the network reads them.
    targets
        Tensors whose first axis is N, mixed by the same share as the faces' areas or intensities.
    how
        Its `mixup` and `cutmix` decide; with both 0 everything is returned as it is.
    """
    if how.mixup <= 0 and how.cutmix <= 0:
        return x, targets
    # Drawn on the CPU whatever the device, so that no step waits for the device to say a number.
    cut = how.cutmix > 0 and float(torch.rand(())) < how.cutmix
    if not cut and how.mixup <= 0:
        return x, targets
    shape = torch.tensor(1.0 if cut else how.mixup)
    share = float(torch.distributions.Beta(shape, shape).sample())
    other = torch.randperm(len(x), device=x.device)
    if cut:
        x, share = _cut(x, x[other], share)
    else:
        x = share * x + (1 - share) * x[other]
    return x, tuple(share * t + (1 - share) * t[other] for t in targets)


def _cut(x: Tensor, other: Tensor, share: float) -> tuple[Tensor, float]:
    height, width = x.shape[-2:]
    side = math.sqrt(1 - share)
    y, z = (float(v) for v in torch.rand(2))
    top, bottom = (round(max(0.0, min(1.0, y + s * side / 2)) * height) for s in (-1, 1))
    left, right = (round(max(0.0, min(1.0, z + s * side / 2)) * width) for s in (-1, 1))
    mixed = x.clone()
    mixed[..., top:bottom, left:right] = other[..., top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)
