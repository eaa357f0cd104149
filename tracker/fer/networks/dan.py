"""DAN, "Distract Your Attention": a ResNet-18 under four attention heads that look at different places.

Wen et al. 2021 (arXiv 2109.07270), written from the paper and from recorded facts about the authors'
definition; keys and shapes are those of the authors' checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it

from tracker.fer.networks.resnet import basic_stage

_CHANNELS = 512


class SpatialAttention(nn.Module):
    """Where to look: three convolutions of different form, summed to one map that multiplies the input."""

    def __init__(self) -> None:
        super().__init__()
        # No activation between the first convolution and the three.
        self.conv1x1 = _normed(nn.Conv2d(_CHANNELS, _CHANNELS // 2, 1))
        self.conv_3x3 = _normed(nn.Conv2d(_CHANNELS // 2, _CHANNELS, 3, padding=1))
        self.conv_1x3 = _normed(nn.Conv2d(_CHANNELS // 2, _CHANNELS, (1, 3), padding=(0, 1)))
        self.conv_3x1 = _normed(nn.Conv2d(_CHANNELS // 2, _CHANNELS, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> Tensor:
        """Weigh the places of features (N, 512, H, W)."""
        y = self.conv1x1(x)
        y = F.relu(self.conv_3x3(y) + self.conv_1x3(y) + self.conv_3x1(y))
        return x * y.sum(1, keepdim=True)


class ChannelAttention(nn.Module):
    """What to look for: a gate on the means of the channels, computed from all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Linear(_CHANNELS, _CHANNELS // 16),
            nn.BatchNorm1d(_CHANNELS // 16),
            nn.ReLU(inplace=True),
            nn.Linear(_CHANNELS // 16, _CHANNELS),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, 512, H, W) to gated means (N, 512)."""
        means = x.mean((2, 3))
        return means * self.attention(means)  # type: ignore[no-any-return]


class CrossAttentionHead(nn.Module):
    """Spatial attention, then channel attention on what it left."""

    def __init__(self) -> None:
        super().__init__()
        self.sa = SpatialAttention()
        self.ca = ChannelAttention()

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, 512, H, W) to (N, 512)."""
        return self.ca(self.sa(x))  # type: ignore[no-any-return]


class Dan(nn.Module):
    """DAN on RGB faces scaled by ImageNet's mean and deviation.

    Normalisation over the batch stands even behind the logits: use it in evaluation mode, or a face is
    read by its batch mates.

    Parameters
    ----------
    classes
        7 or 8.
    heads
        Attention heads; the published networks have 4.

    Examples
    --------
    >>> logits, features, heads = Dan(classes=7).eval()(torch.zeros(2, 3, 64, 64))
    >>> logits.shape, features.shape, heads.shape
    (torch.Size([2, 7]), torch.Size([2, 512, 2, 2]), torch.Size([2, 4, 512]))
    """

    def __init__(self, classes: int, heads: int = 4) -> None:
        super().__init__()
        # The numbers of the children are keys of the checkpoints.
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
            basic_stage(64, 64, 1),
            basic_stage(64, 128, 2),
            basic_stage(128, 256, 2),
            basic_stage(256, _CHANNELS, 2),
        )
        for number in range(heads):
            self.add_module(f"cat_head{number}", CrossAttentionHead())
        self._heads = heads
        self.fc = nn.Linear(_CHANNELS, classes)
        self.bn = nn.BatchNorm1d(classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map faces (N, 3, H, W) to logits (N, classes), features (N, 512, h, w) and heads (N, heads, 512).

        Features and heads are what the affinity and partition losses of the training need. Published sizes
        are H = W = 224, h = w = 7.
        """
        features = self.features(x)
        found = [self.get_submodule(f"cat_head{number}")(features) for number in range(self._heads)]
        heads = torch.stack(found, 1)
        if self._heads > 1:
            # Heads compete for each channel.
            heads = F.log_softmax(heads, 1)
        return self.bn(self.fc(heads.sum(1))), features, heads


def _normed(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))
