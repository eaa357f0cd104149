"""POSTER++ (POSTER V2): a landmark network asks a face recogniser's maps, a transformer sums up the answers.

Mao et al. 2023 (arXiv 2301.12149), written from the paper and from recorded facts about the authors'
definition; keys and shapes are those of the authors' checkpoints, which carry entries that nothing reaches.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own documentation calls it

from tracker.fer.networks.cross_attention import CrossAttention, FeedForward, WindowNorm
from tracker.fer.networks.ir50 import Ir50
from tracker.fer.networks.mobile_face import MobileFace
from tracker.fer.networks.transformer import TokenTransformer

_WIDTHS = (64, 128, 256)
_HEADS = (2, 4, 8)


class PosterV2(nn.Module):
    """POSTER++ on RGB faces scaled by ImageNet's mean and deviation.

    Parameters
    ----------
    classes
        7 or 8.
    side
        What the face is scaled to before both streams; the published networks have 112. A multiple of 16.
    blocks
        Blocks of the face recogniser's stages.
    drop_path
        Share of rows that lose a branch while training.
    token
        Width of a token; a multiple of 8.

    Examples
    --------
    >>> PosterV2(classes=7, side=32, blocks=(1, 1, 1), token=64).eval()(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 7])
    """

    def __init__(
        self,
        classes: int,
        side: int = 112,
        blocks: Sequence[int] = (3, 4, 14),
        drop_path: float = 0.0,
        token: int = 768,
    ) -> None:
        super().__init__()
        if side < 16 or side % 16:
            raise ValueError(f"side must be a multiple of 16, not {side}")
        self._side = side
        self.face_landback = MobileFace()
        tokens = 3 * (side // 16) ** 2
        self.VIT = TokenTransformer(tokens, classes, token, drop_path=drop_path)
        self.ir_back = Ir50(blocks)
        for i, (width, heads) in enumerate(zip(_WIDTHS, _HEADS, strict=True), start=1):
            self.add_module(f"attn{i}", CrossAttention(width, side // 2 ** (i + 1), heads))
            self.add_module(f"window{i}", WindowNorm(width))
            self.add_module(f"conv{i}", nn.Conv2d(width, width, 3, 2, 1))
            self.add_module(f"ffn{i}", FeedForward(width, drop_path))
        self.last_face_conv = nn.Conv2d(512, 256, 3, padding=1)
        self.embed_q = nn.Sequential(
            nn.Conv2d(64, token, 3, 2, 1),
            nn.Conv2d(token, token, 3, 2, 1),
        )
        self.embed_k = nn.Sequential(nn.Conv2d(128, token, 3, 2, 1))
        self.embed_v = nn.ModuleDict({"proj": nn.Conv2d(256, token, 1)})

    def forward(self, x: Tensor) -> Tensor:
        """Map faces (N, 3, H, W) to logits (N, classes); H = W = 224 as published."""
        x = F.interpolate(x, size=(self._side, self._side))  # nearest, as the weights were trained
        fine, middle, coarse = self.face_landback(x)
        asking = (fine, middle, self.last_face_conv(coarse))
        maps = [
            self._answer(i, picture, landmarks)
            for i, (picture, landmarks) in enumerate(zip(self.ir_back(x), asking, strict=True), start=1)
        ]
        embedded = (self.embed_q(maps[0]), self.embed_k(maps[1]), self.embed_v["proj"](maps[2]))
        tokens = torch.cat([e.flatten(2).transpose(1, 2) for e in embedded], 1)  # (N, T, 768)
        return self.VIT(tokens)  # type: ignore[no-any-return]

    def _answer(self, scale: int, picture: Tensor, landmarks: Tensor) -> Tensor:
        picture = self.get_submodule(f"conv{scale}")(picture)
        window = self.get_submodule(f"window{scale}")(picture)
        answers = self.get_submodule(f"attn{scale}")(window, landmarks.permute(0, 2, 3, 1))
        return self.get_submodule(f"ffn{scale}")(answers, window)  # type: ignore[no-any-return]
