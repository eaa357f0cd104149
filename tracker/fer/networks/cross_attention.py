"""POSTER++'s window: landmarks ask, the picture answers.

Cross attention inside one window that is the whole map, with the relative position bias of Liu et al. 2021
(arXiv 2103.14030, "Swin").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it

from tracker.fer.networks.transformer import DropPath, Mlp, split_heads


def relative_positions(side: int) -> Tensor:
    """For each pair of places in a square window, the row of the bias table that describes their distance.

    Parameters
    ----------
    side
        Height and width of the window.

    Returns
    -------
    Tensor
        (side², side²) int64, asking place first; places count row by row.

    Examples
    --------
    >>> relative_positions(2).tolist()
    [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]
    """
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    row, column = rows.flatten(), columns.flatten()
    down = row[:, None] - row[None, :] + side - 1
    right = column[:, None] - column[None, :] + side - 1
    return down * (2 * side - 1) + right


class WindowNorm(nn.Module):
    """The picture's map as a window: channels last, normalised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, channels, H, W) to (N, H, W, channels)."""
        return self.norm(x.permute(0, 2, 3, 1))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Each place of the landmark map asks all places of the picture.

    Parameters
    ----------
    channels
        Of both maps.
    side
        Height and width of both maps.
    heads
        Attention heads.
    """

    relative_position_index: Tensor

    def __init__(self, channels: int, side: int, heads: int) -> None:
        super().__init__()
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_positions(side))
        self.qkv = nn.Linear(channels, 2 * channels)  # keys and values; questions are not projected
        self.proj = nn.Linear(channels, channels)
        self._heads = heads
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, picture: Tensor, landmarks: Tensor) -> Tensor:
        """Map two maps (N, H, W, channels) to answers (N, H W, channels).

        Parameters
        ----------
        picture
            Gives keys and values.
        landmarks
            Gives the questions.
        """
        k, v = self.qkv(picture.flatten(1, 2)).chunk(2, 2)
        bias = self.relative_position_bias_table[self.relative_position_index]  # (H W, H W, heads)
        mixed = F.scaled_dot_product_attention(
            split_heads(landmarks.flatten(1, 2), self._heads).to(k.dtype),
            split_heads(k, self._heads),
            split_heads(v, self._heads),
            bias.permute(2, 0, 1).unsqueeze(0).to(k.dtype),
        )
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Add the answers to the picture's map, then a small network's opinion of the sum.

    What is added is scaled by learned factors that begin near 0, so that training starts from the picture
    alone (Touvron et al. 2021, arXiv 2103.17239).
    """

    def __init__(self, channels: int, drop_path: float) -> None:
        super().__init__()
        self.gamma1 = nn.Parameter(1e-5 * torch.ones(channels))
        self.gamma2 = nn.Parameter(1e-5 * torch.ones(channels))
        self.drop_path = DropPath(drop_path)
        self.mlp = Mlp(channels, 4 * channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, answers: Tensor, picture: Tensor) -> Tensor:
        """Map answers (N, H W, channels) and the normalised map (N, H, W, channels) to (N, channels, H, W)."""
        x: Tensor = picture + self.drop_path(self.gamma1 * answers.reshape(picture.shape))
        x = x + self.drop_path(self.gamma2 * self.mlp(self.norm(x)))
        return x.permute(0, 3, 1, 2)
