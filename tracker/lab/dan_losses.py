"""DAN's two losses beside cross-entropy: classes drawn together, heads drawn apart.

Wen et al. 2021 (arXiv 2109.07270), sections 3.1 and 3.3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class AffinityLoss(nn.Module):
    """Squared distance of a face's features to the centre of its class, in units of the centres' own spread.

    The centres are learnt with the network. Dividing by their spread keeps them from meeting in one point.

    Parameters
    ----------
    classes
        How many centres.
    channels
        Of the features.
    """

    def __init__(self, classes: int, channels: int = 512) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(classes, channels))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Mean over faces; features (N, channels, H, W), labels (N,)."""
        means = features.float().mean((2, 3))
        distance = (means - self.centres[labels]).square().sum(1)
        return distance.mean() / self.centres.var(0).sum().clamp_min(1e-6)


def partition_loss(heads: Tensor) -> Tensor:
    """Small where attention heads differ: mean over faces and channels of log(1 + k / variance over heads).

    Parameters
    ----------
    heads
        (N, k, channels).

    Examples
    --------
    >>> alike, apart = torch.zeros(1, 4, 8), torch.arange(4.0).reshape(1, 4, 1).expand(1, 4, 8)
    >>> bool(partition_loss(apart) < partition_loss(alike))
    True
    """
    k = heads.shape[1]
    if k < 2:
        return heads.new_zeros(())
    return torch.log1p(k / heads.float().var(1).clamp_min(1e-6)).mean()


class Losses(nn.Module):
    """What a network with one head is trained by.

    Parameters
    ----------
    classes
        How many.
    label_smoothing
        Share of the label given to all classes alike.
    affinity, partition
        Weights of DAN's two losses; 0 leaves them out.
    """

    def __init__(
        self, classes: int, label_smoothing: float = 0.0, affinity: float = 0.0, partition: float = 0.0
    ) -> None:
        super().__init__()
        self._smoothing = label_smoothing
        self._affinity, self._partition = affinity, partition
        self.affinity = AffinityLoss(classes) if affinity else None

    def forward(self, output: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """A scalar, from what the network gave (logits, or a tuple that starts with them) and labels (N,)."""
        parts = output if isinstance(output, tuple) else (output,)
        loss = functional.cross_entropy(parts[0].float(), labels, label_smoothing=self._smoothing)
        if self.affinity is not None:
            loss = loss + self._affinity * self.affinity(parts[1], labels)
        if self._partition:
            loss = loss + self._partition * partition_loss(parts[2])
        return loss
