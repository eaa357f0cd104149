"""IR-50, the face recogniser of ArcFace, cut behind its third stage: POSTER++'s eyes for the picture itself.

Deng et al. 2019 (arXiv 1801.07698), "improved residual" blocks: normalisation before the convolutions, and
nothing behind the sum.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class ImprovedBlock(nn.Module):
    """Normalisation, convolution, PReLU, convolution, normalisation, added to the (pooled or projected) input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        return self.res_layer(x) + self.shortcut_layer(x)  # type: ignore[no-any-return]


class Ir50(nn.Module):
    """Three stages that answer with their maps.

    Parameters
    ----------
    blocks
        Blocks of each stage; the published network has 3, 4 and 14.

    Examples
    --------
    >>> import torch
    >>> [tuple(m.shape[1:]) for m in Ir50(blocks=(1, 1, 1)).eval()(torch.zeros(1, 3, 112, 112))]
    [(64, 56, 56), (128, 28, 28), (256, 14, 14)]
    """

    def __init__(self, blocks: Sequence[int] = (3, 4, 14)) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        # The recogniser's own output: in the checkpoints, but never reached by an emotion.
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(), nn.Flatten(), nn.Linear(512 * 49, 512), nn.BatchNorm1d(512)
        )
        self.body1 = _stage(64, 64, blocks[0])
        self.body2 = _stage(64, 128, blocks[1])
        self.body3 = _stage(128, 256, blocks[2])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map faces (N, 3, S, S) to (N, 64, S / 2, S / 2), (N, 128, S / 4, S / 4), (N, 256, S / 8, S / 8)."""
        fine = self.body1(self.input_layer(x))
        middle = self.body2(fine)
        return fine, middle, self.body3(middle)


def _stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    rest = [ImprovedBlock(outputs, outputs, 1) for _ in range(blocks - 1)]
    return nn.Sequential(ImprovedBlock(inputs, outputs, 2), *rest)
