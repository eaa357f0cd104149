"""Random changes of training faces: framing, light, missing parts, mixtures. torch's generator decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How far training faces are changed.

    Parameters
    ----------
    rotation
        Largest rotation in degrees, either way.
    zoom
        Largest change of scale as a factor: 1.25 draws from 1/1.25 to 1.25. Looser and tighter crops
        are what another detector delivers, so this is what makes the network bear them.
    shift
        Largest displacement as a share of the side.
    gamma
        Largest exponent of the grey curve; 1.5 draws from 1/1.5 to 1.5.
    erase
        Probability that a rectangle of 2 to 20 % of the area is replaced by noise (Zhong et al. 2020).
    mixup
        Parameter of the symmetric Beta distribution of mixup (Zhang et al. 2018); 0 is off.
    cutmix
        Share of batches that are mixed by cutting a rectangle out of another face (Yun et al. 2019, arXiv
        1905.04899) instead.
    """

    rotation: float = 15.0
    zoom: float = 1.25
    shift: float = 0.1
    gamma: float = 1.5
    erase: float = 0.5
    mixup: float = 0.2
    cutmix: float = 0.0


def augment(faces: Tensor, how: Augmentation) -> Tensor:
    """Change each face on its own, on its device; (N, 1, H, W) grey in 0-255 in and out."""
    faces = _reframe(faces, how)
    n = len(faces)
    exponent = how.gamma ** (2 * torch.rand(n, 1, 1, 1, device=faces.device) - 1)
    faces = 255 * (faces.clamp(0, 255) / 255) ** exponent
    return _erase(faces, how.erase)


def _reframe(faces: Tensor, how: Augmentation) -> Tensor:
    n, device = len(faces), faces.device
    angle = math.radians(how.rotation) * (2 * torch.rand(n, device=device) - 1)
    scale = how.zoom ** (2 * torch.rand(n, device=device) - 1)
    flip = torch.where(torch.rand(n, device=device) < 0.5, -1.0, 1.0)
    offset = 2 * how.shift * (2 * torch.rand(n, 2, device=device) - 1)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, offset[:, 0]], 1), torch.stack([sin * flip, cos, offset[:, 1]], 1)], 1
    )  # (N, 2, 3): output coordinates to input coordinates
    grid = functional.affine_grid(theta, list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _erase(faces: Tensor, probability: float) -> Tensor:
    n, _, height, width = faces.shape
    device = faces.device
    area = 0.02 + 0.18 * torch.rand(n, device=device)
    aspect = torch.exp((2 * torch.rand(n, device=device) - 1) * math.log(3.0))
    h = (torch.sqrt(area * aspect).clamp_max(1) * height).view(n, 1, 1)
    w = (torch.sqrt(area / aspect).clamp_max(1) * width).view(n, 1, 1)
    top = torch.rand(n, device=device).view(n, 1, 1) * (height - h)
    left = torch.rand(n, device=device).view(n, 1, 1) * (width - w)
    rows = torch.arange(height, device=device).view(1, height, 1)
    columns = torch.arange(width, device=device).view(1, 1, width)
    inside = (rows >= top) & (rows < top + h) & (columns >= left) & (columns < left + w)
    inside &= (torch.rand(n, device=device) < probability).view(n, 1, 1)
    return torch.where(inside.unsqueeze(1), 255 * torch.rand_like(faces), faces)
