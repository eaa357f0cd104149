"""From crops (N, H, W, 3) uint8 RGB to the tensor that a network reads: shared by training and inference."""

from __future__ import annotations

import torch
from torch import Tensor

# ITU-R BT.601 luma, the weights that OpenCV uses to make grey.
_LUMA = (0.299, 0.587, 0.114)


def to_grey(crops: Tensor) -> Tensor:
    """Turn (N, H, W, 3) RGB in 0-255 into (N, 1, H, W) float luma in 0-255."""
    weights = torch.tensor(_LUMA, device=crops.device)
    return (crops.float() @ weights).unsqueeze(1)


def standardise(grey: Tensor) -> Tensor:
    """Give each face mean 0 and standard deviation 1 of its own, so that light and exposure drop out.

    A flat image has no contrast to scale; its deviation is taken as one grey level in 255.

    Examples
    --------
    >>> standardise(torch.full((1, 1, 4, 4), 9.0)).abs().max().item()
    0.0
    """
    mean = grey.mean((1, 2, 3), keepdim=True)
    deviation = grey.std((1, 2, 3), keepdim=True, correction=0).clamp_min(1.0)
    return (grey - mean) / deviation
