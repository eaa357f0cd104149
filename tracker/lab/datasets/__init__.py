"""Readers for labelled faces in the official layouts: one file per data set."""

from __future__ import annotations

from pathlib import Path

from tracker.lab.datasets.duplicates import read_near_duplicates
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.fer2013 import FER2013_CLASSES, SPLITS
from tracker.lab.datasets.ferplus import FERPLUS_COLUMNS, LabelledFaces, read_ferplus

__all__ = [
    "FER2013_CLASSES",
    "FERPLUS_COLUMNS",
    "SPLITS",
    "DatasetError",
    "LabelledFaces",
    "read",
    "read_ferplus",
    "read_near_duplicates",
]


def read(source: str) -> LabelledFaces:
    """Read what the default network is trained on, named as ``KIND:PATH`` on the command line.

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
