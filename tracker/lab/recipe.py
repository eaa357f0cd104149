"""A network's recipe: everything that decides the weights, read from ``recipe.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tracker.lab.augment import Augmentation


class RecipeError(ValueError):
    """A recipe names an unknown setting or lacks one."""


@dataclass(frozen=True)
class Distillation:
    """Learning from other networks' answers beside the labels (Hinton et al. 2015, arXiv 1503.02531).

    Teachers and student see the same changed picture, which is what makes a long training pay (Beyer et
    al. 2022, arXiv 2106.05237).

    Parameters
    ----------
    seeds
        One teacher is trained for each; their probabilities are averaged.
    teacher
        The teachers' whole recipe, as `Recipe.as_dict` gives it; its own seed is replaced by each of `seeds`.
    share
        How much of the target is the teachers' answer; the rest is the label.
    start
        Begin with the first teacher's weights, where both are of one architecture, instead of random ones.
    """

    seeds: tuple[int, ...]
    teacher: Mapping[str, Any]
    share: float = 0.9
    start: bool = False

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise RecipeError(f"distillation needs one or more seeds, each once, not {list(self.seeds)}")
        if not 0 < self.share <= 1:
            raise RecipeError(f"share must be above 0 and at most 1, not {self.share}")
        if self.teacher.get("distillation") is not None:
            raise RecipeError("a teacher learns from labels; take its own distillation out")

    def teachers(self) -> tuple[Recipe, ...]:
        """One recipe for each seed."""
        return tuple(Recipe.from_dict({**self.teacher, "seed": seed}) for seed in self.seeds)


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
    cosine, cooldown
        Length of that cosine in epochs (0: `epochs`), and over how many last epochs the rate falls linearly
        to 0 from wherever the cosine stands: a long schedule that is ended early, as in Hägele et al. 2024
        (arXiv 2405.18392), which loses little against a cosine of the shorter length.
    label_smoothing
        Of the FER2013 head, whose labels were never checked by a second person.
    ema
        Decay per step of the exponential moving average of the weights, which is what ships.
    seed
        Fixes initial weights, order and augmentation.
    augmentation
        How training faces are changed.
    stored
        How the finished weights are kept: ``float32``, or ``float16`` for half the size.
    distillation
        Whose answers are learnt from beside the labels; None for the labels alone.
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
    cosine: int = 0
    cooldown: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    stored: str = "float32"
    distillation: Distillation | None = None

    def __post_init__(self) -> None:
        positive = ("epochs", "batch_size", "learning_rate")
        if wrong := [name for name in positive if not getattr(self, name) > 0]:
            raise RecipeError(f"{wrong[0]} must be above 0, not {getattr(self, wrong[0])}")
        shares = ("momentum", "label_smoothing", "ema")
        if wrong := [name for name in shares if not 0 <= getattr(self, name) < 1]:
            raise RecipeError(f"{wrong[0]} must be in [0, 1), not {getattr(self, wrong[0])}")
        if self.stored not in ("float32", "float16"):
            raise RecipeError(f"stored must be float32 or float16, not {self.stored!r}")
        lesson = self.distillation
        if lesson is not None and lesson.start and not _alike(self, lesson.teacher):
            raise RecipeError("start needs a teacher of the same architecture and arguments")
        if not 0 <= self.cooldown <= self.epochs - self.warmup:
            raise RecipeError(f"cooldown must fit between warmup and the end, not {self.cooldown}")
        if self.cosine and self.cosine < self.epochs:
            raise RecipeError(f"cosine must be 0 or at least epochs, not {self.cosine}")

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a recipe; unknown and missing settings are errors that name the setting."""
        try:
            return cls.from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
        except (TypeError, ValueError) as error:
            raise RecipeError(f"{path}: {error}") from error

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Recipe:
        """Make a recipe from plain values, as `as_dict` gives them."""
        known = {f.name for f in fields(cls)}
        if unknown := set(table) - known:
            raise RecipeError(f"unknown setting {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")
        augmentation = Augmentation(**table.get("augmentation", {}))
        distillation = _distillation(table.get("distillation"))
        recipe = cls(**{**table, "augmentation": augmentation, "distillation": distillation})
        if distillation is not None:
            distillation.teachers()  # so that a wrong teacher is found before hours of training
        return recipe

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, as it is kept in checkpoints."""
        return asdict(self)


def _alike(recipe: Recipe, teacher: Mapping[str, Any]) -> bool:
    return (teacher["architecture"], teacher["arguments"]) == (recipe.architecture, recipe.arguments)


def _distillation(table: Mapping[str, Any] | None) -> Distillation | None:
    if table is None:
        return None
    known = {f.name for f in fields(Distillation)}
    if unknown := set(table) - known:
        raise RecipeError(
            f"distillation: unknown setting {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}"
        )
    teacher = Recipe.from_dict({"seed": 0, **table.get("teacher", {})}).as_dict()
    return Distillation(
        tuple(table.get("seeds", ())),
        teacher,
        float(table.get("share", 0.9)),
        bool(table.get("start", False)),
    )
