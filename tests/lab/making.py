"""Small labelled faces for tests: made of noise, in the official files' form."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.lab.augment import Augmentation
from tracker.lab.datasets import FERPLUS_COLUMNS, SPLITS, LabelledFaces
from tracker.lab.recipe import Recipe

RECIPE = """
name = "tiny"
architecture = "se_resnet"
epochs = 2
batch_size = 8
learning_rate = 0.05
momentum = 0.9
weight_decay = 5e-4
warmup = 0.5
label_smoothing = 0.1
ema = 0.9
seed = 3

[arguments]
heads = { ferplus = 8, fer2013 = 7 }
widths = [8, 8, 16]
depths = [1, 1]
"""


def tiny_recipe(**changes: object) -> Recipe:
    settings: dict[str, object] = {
        "name": "tiny",
        "architecture": "se_resnet",
        "arguments": {"heads": {"ferplus": 8, "fer2013": 7}, "widths": [8, 8, 16], "depths": [1, 1]},
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 0.05,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "warmup": 0.5,
        "label_smoothing": 0.1,
        "ema": 0.9,
        "seed": 3,
        "augmentation": Augmentation(),
    }
    return Recipe(**{**settings, **changes})  # type: ignore[arg-type]


def tiny_faces(training: int = 44, test: int = 21) -> LabelledFaces:
    """Noise, brighter at a place that its label decides, so that something can be learnt."""
    random = np.random.default_rng(5)
    n = training + 2 * test
    labels = np.arange(n) % 7
    images = random.integers(0, 120, (n, 48, 48))
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 8, 8:40] += 130
    votes = np.zeros((n, 10), dtype=np.int64)
    own = np.array([4, 5, 6, 1, 3, 2, 0])[labels]  # FER2013's label in FER+'s columns
    votes[np.arange(n), own] = 8
    votes[:, 8] = 2
    split = np.repeat([0, 1, 2], [training, test, test])
    return LabelledFaces(images.astype(np.uint8), labels, votes, split)


def write_csvs(folder: Path, faces: LabelledFaces) -> None:
    """The two files in their official form."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["emotion,pixels,Usage"]
    lines += [
        f"{label},{' '.join(map(str, image.ravel()))},{SPLITS[split]}"
        for image, label, split in zip(faces.images, faces.labels, faces.split, strict=True)
    ]
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    lines = ["Usage,Image name," + ",".join(FERPLUS_COLUMNS)]
    lines += [
        f"{SPLITS[split]},fer{row:07d}.png," + ",".join(map(str, votes))
        for row, (votes, split) in enumerate(zip(faces.votes, faces.split, strict=True))
    ]
    (folder / "fer2013new.csv").write_text("\n".join(lines) + "\n")
