"""From ``KIND:PATH`` on the command line to faces in the one form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tracker.lab.datasets.affectnet import read_affectnet
from tracker.lab.datasets.ckplus import read_ckplus
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.expw import read_expw
from tracker.lab.datasets.faces import UNLABELLED, FaceSet, HeldPictures
from tracker.lab.datasets.fer2013 import FER2013_CLASSES, SPLITS, read_fer2013
from tracker.lab.datasets.ferplus import FERPLUS_COLUMNS, LabelledFaces, read_ferplus
from tracker.lab.datasets.folder import read_folder
from tracker.lab.datasets.rafdb import read_rafdb

_FOLDERS: dict[str, Callable[[Path], FaceSet]] = {
    "affectnet": read_affectnet,
    "rafdb": read_rafdb,
    "expw": read_expw,
    "ckplus": read_ckplus,
    "folder": read_folder,
}

KINDS = ("fer2013", "ferplus", *_FOLDERS)
"""What may stand before the colon."""

_HELD_OUT = "PublicTest"
_CONTEMPT = "FER2013 has no contempt."


def kind_of(source: str) -> tuple[str, Path]:
    """Split ``KIND:PATH``.

    Examples
    --------
    >>> kind_of("rafdb:faces/basic")[0]
    'rafdb'
    """
    kind, colon, path = source.partition(":")
    if kind not in KINDS or not colon or not path:
        raise DatasetError(f"data {source!r} must be given as KIND:PATH; known kinds: {', '.join(KINDS)}")
    return kind, Path(path).expanduser()


def open_faces(source: str, labels: str = "ferplus") -> FaceSet:
    """Read any data set that is known.

    Parameters
    ----------
    source
        ``KIND:PATH`` with a kind of `KINDS`: a CSV for ``fer2013``, a folder for the others.
    labels
        For ``ferplus`` data, which have two kinds of labels: ``fer2013`` takes FER2013's own, anything else the
        emotion with most votes.

    Raises
    ------
    DatasetError
        For an unknown kind, and whatever the reader finds wrong.
    """
    kind, path = kind_of(source)
    if kind in _FOLDERS:
        if not path.is_dir():
            raise DatasetError(f"{path} is no folder; {kind} data are given as {kind}:FOLDER")
        return _FOLDERS[kind](path)
    if kind == "fer2013":
        images, own, split = read_fer2013(path)
        return FaceSet(
            kind="fer2013",
            classes=FER2013_CLASSES,
            labels=own,
            names=[f"row {row}" for row in range(1, len(images) + 1)],
            pictures=HeldPictures(images),
            splits=SPLITS,
            split=split,
            held_out=_HELD_OUT,
            notes=(_CONTEMPT,),
        )
    return of_ferplus(read_ferplus(path), labels)


def of_ferplus(faces: LabelledFaces, labels: str = "ferplus") -> FaceSet:
    """Bring FER2013 with its votes into the one form; see `open_faces`.

    The vote's winner is the first in FER+'s column order at a tie; faces where "unknown" or "not a face" won have no
    label.
    """
    if labels == "fer2013":
        classes: tuple[str, ...] = FER2013_CLASSES
        own = faces.labels
    else:
        classes = FERPLUS_COLUMNS[:8]
        own = faces.votes.argmax(axis=1)
        own = np.where(own < len(classes), own, UNLABELLED)
    return FaceSet(
        kind="ferplus",
        classes=classes,
        labels=own.astype(np.int64),
        names=[f"row {row}" for row in range(1, len(faces) + 1)],
        pictures=HeldPictures(faces.images),
        splits=SPLITS,
        split=faces.split,
        held_out=_HELD_OUT,
        notes=(_CONTEMPT,) if labels == "fer2013" else (),
    )
