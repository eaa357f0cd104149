"""The transformer behind POSTER++'s tokens: two blocks, a class token, a gate on what it says.

Dosovitskiy et al. 2021 (arXiv 2010.11929); the gate after Hu et al. 2018 (arXiv 1709.01507).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it

_EPS = 1e-6  # of every layer normalisation in here; torch's default is 1e-5


class DropPath(nn.Module):
    """Leave a branch out for a share of the rows while training (Huang et al. 2016, arXiv 1603.09382)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def forward(self, x: Tensor) -> Tensor:
        """Keep or drop each row of (N, ...) whole; kept rows are scaled so that the mean stays."""
        if not self.training or self._share == 0:
            return x
        keep = 1 - self._share
        mask = torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), device=x.device) < keep
        return x * mask / keep


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between them."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, width)
        self.fc2 = nn.Linear(width, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., channels) to the same shape."""
        return self.fc2(F.gelu(self.fc1(x)))  # type: ignore[no-any-return]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut the channels of tokens (N, T, channels) into heads (N, heads, T, channels / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)  # type: ignore[no-any-return, no-untyped-call]


class SelfAttention(nn.Module):
    """Every token looks at every token, in several heads."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self._heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, T, channels) to the same shape."""
        q, k, v = self.qkv(x).chunk(3, 2)
        mixed = F.scaled_dot_product_attention(
            split_heads(q, self._heads), split_heads(k, self._heads), split_heads(v, self._heads)
        )
        return self.proj(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Attention and a small network, each behind a normalisation and added to what came in."""

    def __init__(self, channels: int, heads: int, tokens: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, _EPS)
        self.conv = nn.Conv1d(tokens, tokens, 1)  # in the checkpoints, never applied
        self.attn = SelfAttention(channels, heads)
        self.norm2 = nn.LayerNorm(channels, _EPS)
        self.mlp = Mlp(channels, 4 * channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, T, channels) to the same shape."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))  # type: ignore[no-any-return]


class Gate(nn.Module):
    """Scale each channel of a vector by a gate computed from all of them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, channels)
        self.linear2 = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Gate vectors (N, channels)."""
        return x * torch.sigmoid(self.linear2(F.relu(self.linear1(x))))


class TokenTransformer(nn.Module):
    """Tokens to logits by way of a class token.

    Some of its entries are never reached; they stand here because the published checkpoints carry them.

    Parameters
    ----------
    tokens
        How many come in; the published network has 3 times 49.
    classes
        7 or 8.
    channels, heads, depth
        Width of a token, heads of each block, and blocks.
    drop_path
        Share of rows that lose a branch while training.

    Examples
    --------
    >>> TokenTransformer(tokens=12, classes=7).eval()(torch.zeros(2, 12, 768)).shape
    torch.Size([2, 7])
    """

    def __init__(
        self,
        tokens: int,
        classes: int,
        channels: int = 768,
        heads: int = 8,
        depth: int = 2,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, channels))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, channels))
        self.se_block = Gate(channels)
        self.head = nn.ModuleDict({"linear": nn.Linear(channels, classes)})
        self.blocks = nn.Sequential(
            *(TransformerBlock(channels, heads, tokens + 1, drop_path) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(channels, _EPS)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        # Never reached.
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(256, channels, 1)})
        self.eca_block = nn.ModuleDict({"conv": nn.Conv1d(1, 1, 5, padding=2, bias=False)})
        self.CON1 = nn.Conv2d(256, channels, 1, bias=False)
        self.IRLinear1 = nn.Linear(1024, channels)
        self.IRLinear2 = nn.Linear(channels, 512)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, T, channels) to logits (N, classes)."""
        own = self.cls_token.expand(x.shape[0], -1, -1)
        x = torch.cat((own, x), 1) + self.pos_embed
        x = self.norm(self.blocks(x))
        return self.head["linear"](self.se_block(x[:, 0]))  # type: ignore[no-any-return]
