"""DMUE's target branch: the network that is left when "Dive into Ambiguity" has been trained.

She et al. 2021 (arXiv 2104.00232), written from the paper and from recorded facts about the published
definition; keys and shapes are those of the published checkpoints, oddities included, because the weights
were trained with them.
"""

from __future__ import annotations

from torch import Tensor, nn

from tracker.fer.networks.resnet import Bottleneck, basic_stage, bottleneck_stage


class ResNet18Trunk(nn.Module):
    """ResNet-18 without the stem's ReLU, and with a stem pooling that does not overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(2, 2)
        self.layer1 = basic_stage(64, 64, 1)
        self.layer2 = basic_stage(64, 128, 2)
        self.layer3 = basic_stage(128, 256, 2)
        self.layer4 = basic_stage(256, 512, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map faces (N, 3, H, W) to features (N, 512, H / 32, W / 32)."""
        x = self.pool(self.bn1(self.conv1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))  # type: ignore[no-any-return]


class ResNet50IbnTrunk(nn.Module):
    """ResNet-50 with instance and batch normalisation side by side in all stages but the last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1)
        four = Bottleneck.expansion
        self.layer1 = bottleneck_stage(64, 64, 3, 1, instance=True)
        self.layer2 = bottleneck_stage(64 * four, 128, 4, 2, instance=True)
        self.layer3 = bottleneck_stage(128 * four, 256, 6, 2, instance=True)
        self.layer4 = bottleneck_stage(256 * four, 512, 3, 2, instance=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map faces (N, 3, H, W) to features (N, 2048, H / 32, W / 32)."""
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))  # type: ignore[no-any-return]


class _Dmue(nn.Module):
    base: nn.Module
    bottleneck: nn.Module
    classifiers: nn.ModuleList

    def forward(self, x: Tensor) -> Tensor:
        """Map faces (N, 3, H, W), RGB from -1 to 1, to logits (N, classes); H = W = 224 as published."""
        means = self.base(x).mean((2, 3))
        return self.classifiers[0](self.bottleneck(means))  # type: ignore[no-any-return]


class DmueResNet18(_Dmue):
    """DMUE on ResNet-18: means of 512 channels, normalised, and a linear layer without bias.

    Parameters
    ----------
    classes
        7 or 8.

    Examples
    --------
    >>> import torch
    >>> DmueResNet18(classes=8).eval()(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 8])
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.base = ResNet18Trunk()
        self.classifiers = nn.ModuleList([nn.Linear(512, classes, bias=False)])
        self.bottleneck = nn.BatchNorm1d(512)


class DmueResNet50Ibn(_Dmue):
    """DMUE on ResNet-50-IBN: means of 2048 channels and a linear layer without bias.

    Parameters
    ----------
    classes
        7 or 8.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.base = ResNet50IbnTrunk()
        self.classifiers = nn.ModuleList([nn.Linear(2048, classes, bias=False)])
        self.bottleneck = nn.Identity()
