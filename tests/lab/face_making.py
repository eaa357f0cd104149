"""Sixteen faces that can be told apart, in the one form of all data sets, and recipes that learn them in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.lab.augment import Augmentation
from tracker.lab.datasets.faces import FaceSet, HeldPictures
from tracker.lab.faces_recipe import FacesRecipe

SIDE = 32
STILL = Augmentation(rotation=0, zoom=1, shift=0, gamma=1, erase=0, mixup=0)
SMALL = {"poster_v2": {"side": 32, "blocks": [1, 1, 1], "token": 64}}


def sixteen(
    classes: Sequence[str] = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    n: int = 16,
) -> FaceSet:
    """Noise, brighter in a band that the label decides; every face is another person's but the last two's."""
    random = np.random.default_rng(11)
    labels = np.arange(n) % len(classes)
    pixels = random.integers(0, 90, (n, SIDE, SIDE, 3))
    for picture, label in zip(pixels, labels, strict=True):
        picture[4 * label : 4 * label + 4, :, label % 3] += 150
    return FaceSet(
        kind="made",
        classes=tuple(classes),
        labels=labels.astype(np.int64),
        names=[f"face {row}" for row in range(n)],
        pictures=HeldPictures(pixels.astype(np.uint8)),
    )


def small_recipe(architecture: str = "dmue_resnet18", **changes: object) -> FacesRecipe:
    settings: dict[str, object] = {
        "name": "small",
        "architecture": architecture,
        "arguments": SMALL.get(architecture, {}),
        "normalisation": "half" if architecture.startswith("dmue") else "imagenet",
        "epochs": 2,
        "batch_size": 8,
        "optimiser": "adam",
        "learning_rate": 1e-3,
        "seed": 3,
        "size": SIDE,
        "reserved": 0.0,
        "augmentation": STILL,
    }
    return FacesRecipe(**{**settings, **changes})  # type: ignore[arg-type]
