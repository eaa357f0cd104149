"""What a face should be read as, as tensors: votes and labels as distributions, with their weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tracker.lab.datasets import LabelledFaces


@dataclass(frozen=True)
class Targets:
    """Targets of N faces for both heads.

    Attributes
    ----------
    ferplus
        (N, 8) distributions of votes.
    weight
        (N,) how much each counts for the FER+ head.
    fer2013
        (N, 7) smoothed labels.
    """

    ferplus: Tensor
    weight: Tensor
    fer2013: Tensor

    def rows(self, which: Tensor) -> Targets:
        """Targets of some faces."""
        return Targets(self.ferplus[which], self.weight[which], self.fer2013[which])

    def blended(self, answers: dict[str, Tensor], share: float) -> Targets:
        """Move towards other networks' probabilities by head name; a face that nobody could name counts then too."""
        return Targets(
            share * answers["ferplus"] + (1 - share) * self.ferplus,
            share + (1 - share) * self.weight,
            share * answers["fer2013"] + (1 - share) * self.fer2013,
        )

    def loss(self, out: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of both heads' logits, summed; a scalar."""
        votes = -(self.ferplus * functional.log_softmax(out["ferplus"].float(), 1)).sum(1)
        return (votes * self.weight).mean() + functional.cross_entropy(out["fer2013"].float(), self.fer2013)


def targets_of(faces: LabelledFaces, label_smoothing: float, device: str = "cpu") -> Targets:
    """Targets of faces on a device; `label_smoothing` is that of the FER2013 head."""
    ferplus, weight = vote_targets(faces.votes)
    fer2013 = functional.one_hot(torch.from_numpy(faces.labels), 7).float()
    fer2013 = fer2013 * (1 - label_smoothing) + label_smoothing / 7
    return Targets(ferplus.to(device), weight.to(device), fer2013.to(device))


def vote_targets(votes: np.ndarray) -> tuple[Tensor, Tensor]:
    """Turn FER+ votes (N, 10) into distributions (N, 8) and weights (N,).

    Votes for "unknown" and "not a face" leave the distribution and lower the row's weight: a face that
    nobody could name teaches the FER+ head nothing (Barsoum et al. 2016 drop such rows altogether).
    """
    emotion = torch.from_numpy(votes[:, :8]).float()
    total = emotion.sum(1, keepdim=True)
    uniform = torch.full_like(emotion, 1 / 8)
    return torch.where(total > 0, emotion / total.clamp_min(1), uniform), total.squeeze(1) / 10
