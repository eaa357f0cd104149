"""From crops (N, H, W, 3) uint8 RGB to the tensor that a network reads: shared by training and inference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

# ITU-R BT.601 luma, the weights that OpenCV uses to make grey.
_LUMA = (0.299, 0.587, 0.114)

# Mean and deviation of ImageNet's RGB values in [0, 1], as torchvision's networks were trained with.
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    # Made on the device: a copy from the host cannot be recorded in a CUDA graph.
    return torch.cat([torch.full((1,), value, device=device) for value in values])


def to_grey(crops: Tensor) -> Tensor:
    """Turn (N, H, W, 3) RGB in 0-255 into (N, 1, H, W) float luma in 0-255."""
    weights = _constant(_LUMA, crops.device)
    return (crops.float() @ weights).unsqueeze(1)


def standardise(grey: Tensor) -> Tensor:
    """Give each face mean 0 and standard deviation 1 of its own, so that light and exposure drop out.

    A flat image has no contrast to scale; its deviation is taken as one grey level in 255.

    Examples
    --------
    >>> standardise(torch.full((1, 1, 4, 4), 9.0)).abs().max().item()
    0.0
    """
    if grey.shape[0] == 0:  # torch warns of the deviation of no values
        return grey
    mean = grey.mean((1, 2, 3), keepdim=True)
    deviation = grey.std((1, 2, 3), keepdim=True, correction=0).clamp_min(1.0)
    return (grey - mean) / deviation


def _per_image(crops: Tensor) -> Tensor:
    return standardise(to_grey(crops))


def _imagenet(crops: Tensor) -> Tensor:
    return _scaled(crops, _IMAGENET_MEAN, _IMAGENET_DEVIATION)


def _half(crops: Tensor) -> Tensor:
    return _scaled(crops, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _scaled(crops: Tensor, mean: tuple[float, float, float], deviation: tuple[float, float, float]) -> Tensor:
    share = crops.float() / 255
    middle, spread = _constant(mean, crops.device), _constant(deviation, crops.device)
    return ((share - middle) / spread).permute(0, 3, 1, 2)


_PREPARING: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "per_image": _per_image,
    "imagenet": _imagenet,
    "half": _half,
}


def channels(normalisation: str) -> int:
    """How many channels `prepare` gives: 1 (grey) or 3 (RGB).

    Examples
    --------
    >>> channels("per_image"), channels("imagenet")
    (1, 3)
    """
    if normalisation not in _PREPARING:
        raise ValueError(f"normalisation {normalisation!r} is unknown; known: {', '.join(_PREPARING)}")
    return 1 if normalisation == "per_image" else 3


def prepare(crops: Tensor, normalisation: str) -> Tensor:
    """Turn crops into what a network reads; on the crops' own device, of the crops' own size.

    Parameters
    ----------
    crops
        (N, H, W, 3) RGB in 0-255, uint8 or float; N may be 0.
    normalisation
        ``per_image``: grey by BT.601, then each face by its own mean and deviation. ``imagenet``: RGB by
        ImageNet's mean and deviation (POSTER++, DAN). ``half``: RGB from -1 to 1 (DMUE, MobileFaceNet).

    Returns
    -------
    Tensor
        (N, C, H, W) float32 with C as `channels` says; RGB lies in memory as ``channels_last``.

    Raises
    ------
    ValueError
        For another shape or an unknown normalisation.

    Examples
    --------
    >>> prepare(torch.full((2, 4, 4, 3), 255, dtype=torch.uint8), "half").unique().tolist()
    [1.0]
    >>> prepare(torch.zeros(2, 4, 4, 3, dtype=torch.uint8), "per_image").shape
    torch.Size([2, 1, 4, 4])
    """
    channels(normalisation)
    if crops.ndim != 4 or crops.shape[3] != 3:
        raise ValueError(f"crops must have the shape (N, H, W, 3), RGB; these have {tuple(crops.shape)}")
    return _PREPARING[normalisation](crops)
