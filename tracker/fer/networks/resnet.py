"""Residual stages as DAN and DMUE use them: the plain block, and the bottleneck with instance normalisation.

He et al. 2016 (arXiv 1512.03385); the bottleneck's stride on its 3x3 convolution as in torchvision; instance
and batch normalisation side by side after Pan et al. 2018 (arXiv 1807.09441, "IBN-a").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it


class BasicBlock(nn.Module):
    """Two 3x3 convolutions added to the (projected) input, then a ReLU.

    Parameters
    ----------
    inputs, outputs
        Channels.
    stride
        Of the first convolution and of the projection.
    """

    expansion = 1

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class InstanceNorm(nn.InstanceNorm2d):
    """Each channel by its own mean and deviation in each image; takes no images too, and any memory format.

    Entries are those of torch's class, whose own function fails on an empty batch and leaves channels-last,
    which makes it three times as slow there.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise features (N, channels, H, W)."""
        from_mean = x - x.mean((2, 3), keepdim=True)
        variance = from_mean.square().mean((2, 3), keepdim=True)
        scale = torch.rsqrt(variance + self.eps) * self.weight[:, None, None]
        return torch.addcmul(self.bias[:, None, None], from_mean, scale)


class InstanceBatchNorm(nn.Module):
    """The first half of the channels by each image's own statistics, the second half by the data's.

    Instance statistics take light and colour out, batch statistics keep what tells classes apart.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._half = channels // 2
        # Names as in the published checkpoints.
        self.IN = InstanceNorm(self._half, affine=True)
        self.BN = nn.BatchNorm2d(channels - self._half)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise features (N, channels, H, W)."""
        return torch.cat((self.IN(x[:, : self._half]), self.BN(x[:, self._half :])), 1)


class Bottleneck(nn.Module):
    """Three convolutions (1x1, 3x3, 1x1) added to the (projected) input, then a ReLU.

    Parameters
    ----------
    inputs
        Channels of the input.
    width
        Channels of the 3x3 convolution; four times as many come out.
    stride
        Of the 3x3 convolution and of the projection.
    instance
        Whether the first normalisation is `InstanceBatchNorm`.
    """

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int = 1, instance: bool = True) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = InstanceBatchNorm(width) if instance else nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, 4 width, H / stride, W / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def basic_stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Two plain blocks, the first with the stride: a stage of ResNet-18.

    Examples
    --------
    >>> basic_stage(4, 8, stride=2)(torch.zeros(1, 4, 6, 6)).shape
    torch.Size([1, 8, 3, 3])
    """
    return nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs))


def bottleneck_stage(inputs: int, width: int, blocks: int, stride: int, instance: bool) -> nn.Sequential:
    """Bottlenecks, the first with the stride: a stage of ResNet-50-IBN.

    Examples
    --------
    >>> bottleneck_stage(4, 4, blocks=2, stride=2, instance=True)(torch.rand(1, 4, 6, 6)).shape
    torch.Size([1, 16, 3, 3])
    """
    first = Bottleneck(inputs, width, stride, instance)
    rest = [Bottleneck(width * Bottleneck.expansion, width, 1, instance) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
