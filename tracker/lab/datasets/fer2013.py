"""FER2013 (Goodfellow et al. 2013): 48 x 48 grey faces in one CSV, whole or any subset of its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.tables import rows

FER2013_CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER2013's own label order (its "angry", "happy", "sad" spelt as our emotions)."""

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's column Usage."""

_SIDE = 48


def read_fer2013(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Read images (N, 48, 48), labels (N,) into `FER2013_CLASSES` and splits (N,) into `SPLITS`.

    Raises
    ------
    DatasetError
        When the file is missing or a row is malformed; the message names the line.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing; give FER2013's fer2013.csv, or a file with some of its rows")
    images, labels, split = [], [], []
    for number, row in rows(path, ("emotion", "pixels", "Usage")):
        try:
            pixels = np.array(row["pixels"].split(), dtype=np.uint8)
            label = int(row["emotion"])
        except (ValueError, OverflowError) as error:
            raise DatasetError(
                f"{path}, line {number}: {error}; pixels are whole numbers 0 to 255"
            ) from error
        if pixels.size != _SIDE * _SIDE:
            raise DatasetError(f"{path}, line {number}: {pixels.size} pixels, not {_SIDE * _SIDE}")
        if row["Usage"] not in SPLITS or not 0 <= label < len(FER2013_CLASSES):
            raise DatasetError(f"{path}, line {number}: unknown emotion {label} or usage {row['Usage']!r}")
        images.append(pixels.reshape(_SIDE, _SIDE))
        labels.append(label)
        split.append(SPLITS.index(row["Usage"]))
    if not images:
        raise DatasetError(f"{path} holds no faces")
    return np.stack(images), np.array(labels), np.array(split)
