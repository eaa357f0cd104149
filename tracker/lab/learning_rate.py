"""The learning rate over a training: warm-up, cosine, cooldown."""

from __future__ import annotations

import math

from tracker.lab.recipe import Recipe


def learning_rate_share(epoch: float, recipe: Recipe) -> float:
    """The learning rate at a point of the training, as a share of the recipe's.

    Parameters
    ----------
    epoch
        Epochs behind us, with fractions.
    recipe
        Its `warmup`, `cosine`, `cooldown` and `epochs` decide.
    """
    length = recipe.cosine or recipe.epochs

    def cosine(at: float) -> float:
        if at < recipe.warmup:
            return (at + 0.01) / (recipe.warmup + 0.01)
        return 0.5 * (1 + math.cos(math.pi * (at - recipe.warmup) / (length - recipe.warmup)))

    turn = recipe.epochs - recipe.cooldown
    if epoch <= turn:
        return cosine(epoch)
    return cosine(turn) * (recipe.epochs - epoch) / recipe.cooldown
