"""FER2013 with its FER+ votes (Barsoum et al. 2016), in their two official CSV files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.fer2013 import SPLITS, read_fer2013
from tracker.lab.datasets.tables import rows

FERPLUS_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""Vote columns of FER+; the first eight are our emotions in our order."""


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

    def __len__(self) -> int:
        return len(self.images)

    def of(self, split: str) -> LabelledFaces:
        """Rows of one split, spelt as in the data: Training, PublicTest or PrivateTest."""
        if split not in SPLITS:
            raise DatasetError(f"there is no split {split!r}; there are: {', '.join(SPLITS)}")
        return self.where(self.split == SPLITS.index(split))

    def where(self, rows: NDArray[np.bool_]) -> LabelledFaces:
        """Rows where a mask (N,) is true."""
        return LabelledFaces(self.images[rows], self.labels[rows], self.votes[rows], self.split[rows])

    def identity(self) -> str:
        """Return a hash that changes when pictures, labels or votes do."""
        digest = hashlib.sha256()
        for column in (self.images, self.labels, self.votes):
            digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


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
            hint = "put FER2013's fer2013.csv and FER+'s fer2013new.csv there"
            raise DatasetError(f"{path} is missing; {hint}")
    images, labels, split = read_fer2013(faces_csv)
    votes = _read_votes(votes_csv)
    if len(votes) != len(images):
        raise DatasetError(f"{faces_csv} has {len(images)} rows, {votes_csv} {len(votes)}; they match by row")
    return LabelledFaces(images, labels, votes, split)


def _read_votes(path: Path) -> NDArray[np.int64]:
    votes = []
    for number, row in rows(path, FERPLUS_COLUMNS):
        try:
            votes.append([int(row[c]) for c in FERPLUS_COLUMNS])
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: {error}; votes are whole numbers") from error
        if min(votes[-1]) < 0:
            raise DatasetError(f"{path}, line {number}: votes cannot be negative")
    return np.array(votes, dtype=np.int64).reshape(-1, len(FERPLUS_COLUMNS))
