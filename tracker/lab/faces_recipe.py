"""Recipes of the networks of the literature: one head, RGB, any labelled faces."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tracker.domain.framing import CropSpec
from tracker.fer.manifest import NORMALISATIONS
from tracker.fer.networks import ARCHITECTURES
from tracker.lab.augment import Augmentation
from tracker.lab.recipe import RecipeError

TWO_HEADED = "se_resnet"
"""Our own architecture: two heads on grey faces, see `tracker.lab.recipe.Recipe`."""

OPTIMISERS = ("adam", "sgd")


@dataclass(frozen=True)
class FacesRecipe:
    """How a network with one head is trained on labelled faces of any known data set.

    Parameters
    ----------
    name
        The network's name.
    architecture, arguments
        What `tracker.fer.networks.build` is called with, beside the number of classes.
    normalisation
        One of `tracker.fer.manifest.NORMALISATIONS`.
    epochs, batch_size
        Length of the training; the last incomplete batch of an epoch is left out.
    optimiser
        ``adam``, or ``sgd`` with Nesterov momentum 0.9.
    learning_rate, decay
        The rate of the first epoch, and the factor from each epoch to the next.
    seed
        Fixes initial weights, reserved faces, order and augmentation.
    classes
        Emotions in the order of the logits; none: those of the data, in the data's order. Faces of other
        emotions are left out.
    size, margin, alignment
        The framing, see `tracker.domain.framing.CropSpec`.
    weight_decay
        Of every weight.
    sharpness
        Radius within which the loss shall stay flat (SAM, Foret et al. 2021, arXiv 2010.01412); twice the
        time. 0 is off.
    balanced
        Draw every class equally often.
    label_smoothing
        Share of the label given to all classes alike.
    affinity, partition
        Weights of DAN's two losses; see `tracker.lab.dan_losses`.
    reserved
        Share of the training faces (of the people, where the data know them) that nothing is learnt from: the
        training is watched on them, and the temperature fitted.
    augmentation
        How training faces are changed; `mixup` and `cutmix` are not used.
    backbones
        Files by part of the network (``face_landback``, ``ir_back``, ``features``, ``base``) to start from.
        Parts without one start from random weights.
    """

    name: str
    architecture: str
    normalisation: str
    epochs: int
    batch_size: int
    optimiser: str
    learning_rate: float
    seed: int
    arguments: dict[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    size: int = 224
    margin: float = 0.0
    alignment: str = "none"
    decay: float = 1.0
    weight_decay: float = 0.0
    sharpness: float = 0.0
    balanced: bool = False
    label_smoothing: float = 0.0
    affinity: float = 0.0
    partition: float = 0.0
    reserved: float = 0.05
    augmentation: Augmentation = field(default_factory=Augmentation)
    backbones: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "decay"):
            if not getattr(self, name) > 0:
                raise RecipeError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("weight_decay", "sharpness", "affinity", "partition"):
            if not getattr(self, name) >= 0:
                raise RecipeError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("label_smoothing", "reserved"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} must be in [0, 1), not {getattr(self, name)}")
        for name, known in (
            ("architecture", tuple(a for a in ARCHITECTURES if a != TWO_HEADED)),
            ("normalisation", NORMALISATIONS),
            ("optimiser", OPTIMISERS),
        ):
            if getattr(self, name) not in known:
                raise RecipeError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        if (self.affinity or self.partition) and self.architecture != "dan":
            raise RecipeError(f"affinity and partition are losses of dan, not of {self.architecture}")

    @property
    def crop(self) -> CropSpec:
        """The framing of the faces."""
        return CropSpec(self.size, self.margin, self.alignment)  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> FacesRecipe:
        """Make a recipe from plain values, as `as_dict` gives them."""
        known = {f.name for f in fields(cls)}
        if unknown := set(table) - known:
            raise RecipeError(f"unknown setting {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}")
        augmentation = Augmentation(**table.get("augmentation", {}))
        classes = tuple(table.get("classes", ()))
        recipe = cls(**{**table, "classes": classes, "augmentation": augmentation})
        _ = recipe.crop
        return recipe

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain values, as it is kept in checkpoints."""
        return {**asdict(self), "classes": list(self.classes)}


def read_table(path: Path) -> dict[str, Any]:
    """Read a recipe's TOML; its ``architecture`` says which kind of recipe it is.

    Raises
    ------
    RecipeError
        When it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RecipeError(f"{path}: {error}") from error


def load_faces_recipe(path: Path) -> FacesRecipe:
    """Read a recipe; unknown and missing settings are errors that name the setting.

    Paths of backbones may be relative to the recipe.
    """
    table = read_table(path)
    try:
        recipe = FacesRecipe.from_dict(table)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    for part, file in recipe.backbones.items():
        recipe.backbones[part] = str(path.parent / Path(file).expanduser())
    return recipe
