"""Readers for labelled face images: FER2013 with its FER+ votes, in their official CSV forms."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FER2013_CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER2013's own label order (its "angry", "happy", "sad" spelt as our emotions)."""

FERPLUS_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""Vote columns of FER+; the first eight are our emotions in our order."""

SPLITS = ("Training", "PublicTest", "PrivateTest")


class DatasetError(ValueError):
    """A data file is missing, truncated or in another form than its official one."""


@dataclass(frozen=True)
class LabelledFaces:
    """FER2013 rows with their FER+ votes.

    Attributes
    ----------
    images
        (N, 48, 48) uint8 grey.
    labels
        (N,) index into `FER2013_CLASSES`.
    votes
        (N, 10) counts of ten taggers, columns `FERPLUS_COLUMNS`.
    split
        (N,) index into `SPLITS`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.int64]
    split: NDArray[np.int64]

    def of(self, split: str) -> LabelledFaces:
        """Rows of one split, spelt as in the data: Training, PublicTest or PrivateTest."""
        rows = self.split == SPLITS.index(split)
        return LabelledFaces(self.images[rows], self.labels[rows], self.votes[rows], self.split[rows])


def read_ferplus(folder: Path) -> LabelledFaces:
    """Read ``fer2013.csv`` and ``fer2013new.csv`` (FER+), which match row by row.

    Parameters
    ----------
    folder
        Holds both files in their official form.

    Raises
    ------
    DatasetError
        When a file is missing, a row is malformed, or the two files have different lengths.
    """
    faces_csv, votes_csv = folder / "fer2013.csv", folder / "fer2013new.csv"
    for path in (faces_csv, votes_csv):
        if not path.is_file():
            raise DatasetError(f"{path} is missing; put FER2013's fer2013.csv and FER+'s fer2013new.csv there")
    images, labels, split = _read_faces(faces_csv)
    votes = _read_votes(votes_csv)
    if len(votes) != len(images):
        raise DatasetError(f"{faces_csv} has {len(images)} rows, {votes_csv} {len(votes)}; they match by row")
    return LabelledFaces(images, labels, votes, split)


def _read_faces(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    images, labels, split = [], [], []
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            pixels = np.array(row["pixels"].split(), dtype=np.uint8)
            if pixels.size != 48 * 48 or row["Usage"] not in SPLITS:
                raise DatasetError(f"{path}, line {number}: {pixels.size} pixels, usage {row['Usage']!r}")
            images.append(pixels.reshape(48, 48))
            labels.append(int(row["emotion"]))
            split.append(SPLITS.index(row["Usage"]))
    return np.stack(images), np.array(labels), np.array(split)


def _read_votes(path: Path) -> NDArray[np.int64]:
    with path.open(newline="") as file:
        return np.array([[int(row[c]) for c in FERPLUS_COLUMNS] for row in csv.DictReader(file)])
