"""Readers for labelled face images: FER2013 with its FER+ votes, in their official CSV forms."""

from __future__ import annotations

import csv
from collections.abc import Iterator
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

_SIDE = 48


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


def read(source: str) -> LabelledFaces:
    """Read data named as ``KIND:PATH`` on the command line.

    Parameters
    ----------
    source
        ``ferplus:DIR``, see `read_ferplus`.

    Raises
    ------
    DatasetError
        For an unknown kind, and whatever the reader finds wrong.
    """
    kind, colon, path = source.partition(":")
    if kind != "ferplus" or not colon or not path:
        raise DatasetError(f"data {source!r} must be given as KIND:PATH; known kinds: ferplus")
    return read_ferplus(Path(path).expanduser())


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
    images, labels, split = _read_faces(faces_csv)
    votes = _read_votes(votes_csv)
    if len(votes) != len(images):
        raise DatasetError(f"{faces_csv} has {len(images)} rows, {votes_csv} {len(votes)}; they match by row")
    return LabelledFaces(images, labels, votes, split)


def read_near_duplicates(path: Path, faces: LabelledFaces, above: float = 0.97) -> NDArray[np.bool_]:
    """Mark faces that are nearly equal to a training face.

    Parameters
    ----------
    path
        An ``.npz`` file whose array ``near_train_ncc`` holds each face's normalised cross-correlation with
        its nearest training face, in the order of `faces`.
    faces
        All splits, as read.
    above
        What counts as a near duplicate.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            likeness = arrays["near_train_ncc"].astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path} holds no array near_train_ncc: {error}") from error
    if likeness.shape != (len(faces),):
        raise DatasetError(f"{path} describes {len(likeness)} faces, the data hold {len(faces)}")
    marked: NDArray[np.bool_] = likeness > above
    return marked


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if lacking := [c for c in columns if c not in (reader.fieldnames or ())]:
                raise DatasetError(f"{path} has no column {lacking[0]!r}; is it the official file?")
            for number, row in enumerate(reader, start=2):
                if any(row[c] is None for c in columns):
                    raise DatasetError(f"{path}, line {number}: cut off; the file is truncated")
                yield number, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is no CSV file: {error}") from error


def _read_faces(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    images, labels, split = [], [], []
    for number, row in _rows(path, ("emotion", "pixels", "Usage")):
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


def _read_votes(path: Path) -> NDArray[np.int64]:
    votes = []
    for number, row in _rows(path, FERPLUS_COLUMNS):
        try:
            votes.append([int(row[c]) for c in FERPLUS_COLUMNS])
        except ValueError as error:
            raise DatasetError(f"{path}, line {number}: {error}; votes are whole numbers") from error
        if min(votes[-1]) < 0:
            raise DatasetError(f"{path}, line {number}: votes cannot be negative")
    return np.array(votes, dtype=np.int64).reshape(-1, len(FERPLUS_COLUMNS))
