"""MobileFaceNet as POSTER++ uses it: a landmark network whose inner maps say where on the face one looks.

Chen et al. 2018 (arXiv 1804.07573). Every unit is convolution, normalisation, PReLU, but for the projection
of a block, which stays linear; the stride sits on the depthwise convolution.
"""

from __future__ import annotations

from torch import Tensor, nn


class Unit(nn.Module):
    """Convolution without bias, normalisation, PReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H', W')."""
        return self.prelu(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class LinearUnit(nn.Module):
    """Convolution without bias and normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H', W')."""
        return self.bn(self.conv(x))  # type: ignore[no-any-return]


class Expansion(nn.Module):
    """Widen by 1x1, look around by a depthwise 3x3, project back by 1x1.

    Parameters
    ----------
    inputs, outputs
        Channels.
    width
        Channels of the depthwise convolution.
    stride
        Of the depthwise convolution.
    residual
        Whether the input is added to what comes out; nothing follows the sum.
    """

    def __init__(self, inputs: int, outputs: int, width: int, stride: int, residual: bool = False) -> None:
        super().__init__()
        self.conv = Unit(inputs, width)
        self.conv_dw = Unit(width, width, 3, stride, 1, groups=width)
        self.project = LinearUnit(width, outputs)
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y: Tensor = self.project(self.conv_dw(self.conv(x)))
        return x + y if self._residual else y


class Stack(nn.Module):
    """Residual blocks of one width, one after the other."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            *(Expansion(channels, channels, width, 1, residual=True) for _ in range(blocks))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, channels, H, W) to the same shape."""
        return self.model(x)  # type: ignore[no-any-return]


class LandmarkOutput(nn.Module):
    """Where the landmark network gave 68 points: in the checkpoints, but never reached by an emotion."""

    def __init__(self, coordinates: int = 136) -> None:
        super().__init__()
        self.conv_6_dw = LinearUnit(512, 512, 7, groups=512)
        self.linear = nn.Linear(512, coordinates, bias=False)
        self.bn = nn.BatchNorm1d(coordinates)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, 512, 7, 7) to coordinates (N, 136)."""
        return self.bn(self.linear(self.conv_6_dw(x).flatten(1)))  # type: ignore[no-any-return]


class MobileFace(nn.Module):
    """MobileFaceNet that answers with its maps at a quarter, an eighth and a sixteenth of the side.

    Examples
    --------
    >>> import torch
    >>> [tuple(m.shape[1:]) for m in MobileFace().eval()(torch.zeros(1, 3, 112, 112))]
    [(64, 28, 28), (128, 14, 14), (512, 7, 7)]
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Unit(3, 64, 3, 2, 1)
        self.conv2_dw = Unit(64, 64, 3, 1, 1, groups=64)
        self.conv_23 = Expansion(64, 64, 128, 2)
        self.conv_3 = Stack(64, 128, 4)
        self.conv_34 = Expansion(64, 128, 256, 2)
        self.conv_4 = Stack(128, 256, 6)
        self.conv_45 = Expansion(128, 128, 512, 2)
        self.conv_5 = Stack(128, 256, 2)
        self.conv_6_sep = Unit(128, 512)
        self.output_layer = LandmarkOutput()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map faces (N, 3, S, S) to (N, 64, S / 4, S / 4), (N, 128, S / 8, S / 8), (N, 512, S / 16, S / 16)."""
        fine = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        middle = self.conv_4(self.conv_34(fine))
        return fine, middle, self.conv_6_sep(self.conv_5(self.conv_45(middle)))
