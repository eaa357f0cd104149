"""A small residual network with squeeze-and-excitation for 48 px grey faces.

Residual blocks after He et al. 2016 (arXiv 1512.03385) with the average-pool shortcut of He et al. 2019
(arXiv 1812.01187, "ResNet-D"), channel gates after Hu et al. 2018 (arXiv 1709.01507). One trunk carries
two heads, because FER2013's labels and FER+'s votes are two opinions about the same faces.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from all channels' means."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Gate features (N, C, H, W)."""
        gate = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(gate))))


class Block(nn.Module):
    """Two 3x3 convolutions with a gate, added to the (projected) input."""

    def __init__(self, inputs: int, outputs: int, stride: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.drop_path = drop_path
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.gate = SqueezeExcitation(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            pool = nn.AvgPool2d(stride) if stride != 1 else nn.Identity()
            self.shortcut = nn.Sequential(
                pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.gate(self.bn2(self.conv2(y)))
        if self.training and self.drop_path > 0:
            kept = torch.rand(len(y), 1, 1, 1, device=y.device, dtype=y.dtype) >= self.drop_path
            y = y * kept / (1 - self.drop_path)
        return F.relu(y + self.shortcut(x))


class SeResNet(nn.Module):
    """Trunk of residual stages and one linear head per label set.

    Parameters
    ----------
    heads
        Number of classes by head name, for example ``{"ferplus": 8, "fer2013": 7}``.
    widths
        Channels of the stem and of each stage; every stage halves the resolution.
    depths
        Blocks in each stage.
    dropout
        Share of trunk features dropped before the heads while training.
    drop_path
        Probability that the last block is skipped for a face while training; it rises from 0 at the first
        (stochastic depth, Huang et al. 2016, arXiv 1603.09382).

    Examples
    --------
    >>> network = SeResNet({"ferplus": 8, "fer2013": 7}).eval()
    >>> {name: tuple(z.shape) for name, z in network(torch.zeros(2, 1, 48, 48)).items()}
    {'ferplus': (2, 8), 'fer2013': (2, 7)}
    """

    def __init__(
        self,
        heads: dict[str, int],
        widths: Sequence[int] = (32, 64, 128, 192),
        depths: Sequence[int] = (2, 2, 2),
        dropout: float = 0.3,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        blocks: list[nn.Module] = []
        channels, last = widths[0], max(sum(depths) - 1, 1)
        for width, depth in zip(widths[1:], depths, strict=True):
            for i in range(depth):
                blocks.append(Block(channels, width, 2 if i == 0 else 1, drop_path * len(blocks) / last))
                channels = width
        self.stages = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(channels, n) for name, n in heads.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Map grey faces (N, 1, H, W), standardised, to logits (N, classes) by head name."""
        features = self.stages(self.stem(x)).mean((2, 3))  # (N, C)
        features = self.dropout(features)
        return {name: head(features) for name, head in self.heads.items()}
