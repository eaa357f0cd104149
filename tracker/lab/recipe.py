"""A network's recipe: everything that decides the weights, read from ``recipe.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tracker.lab.augment import Augmentation


class RecipeError(ValueError):
    """A recipe names an unknown setting or lacks one."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    name
        The network's name; its folder under ``models/``.
    architecture, arguments
        What `tracker.fer.networks.build` is called with.
    epochs, batch_size
        Length of the training; the last incomplete batch of an epoch is left out.
    learning_rate, momentum, weight_decay, warmup
        SGD with Nesterov momentum: the rate rises over `warmup` epochs, then falls as a cosine to 0.
    label_smoothing
        Of the FER2013 head, whose labels were never checked by a second person.
    ema
        Decay per step of the exponential moving average of the weights, which is what ships.
    seed
        Fixes initial weights, order and augmentation.
    augmentation
        How training faces are changed.
    """

    name: str
    architecture: str
    arguments: dict[str, Any]
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    warmup: float
    label_smoothing: float
    ema: float
    seed: int
    augmentation: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a recipe; unknown and missing settings are errors that name the setting."""
        table = tomllib.loads(path.read_text())
        known = {f.name for f in fields(cls)}
        if unknown := set(table) - known:
            raise RecipeError(f"{path}: unknown setting {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")
        augmentation = table.pop("augmentation", {})
        try:
            return cls(**table, augmentation=Augmentation(**augmentation))
        except TypeError as error:
            raise RecipeError(f"{path}: {error}") from error

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, as it is kept in checkpoints."""
        return asdict(self)
