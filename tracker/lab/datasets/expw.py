"""ExpW, Expression in the Wild (Zhang et al. 2018): uncropped pictures, several faces in many of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import FaceSet, PictureFiles, first_there, numbered
from tracker.lab.datasets.fer2013 import FER2013_CLASSES

CLASSES = FER2013_CLASSES
"""ExpW's labels 0 to 6: angry, disgust, fear, happy, sad, surprise, neutral."""

_CELLS = 8
_FORM = "image face_id top left right bottom confidence label"


def read_expw(folder: Path) -> FaceSet:
    """Read ``label/label.lst`` and the pictures of ``image/origin``; faces are cut by the list's boxes.

    The data have no official split. A bootstrap draws pictures, not faces: those in one picture go together.

    Raises
    ------
    DatasetError
        When the list or the pictures are missing, or a line is malformed.
    """
    listed = first_there(folder, "label/label.lst", "label.lst", "labels/label.lst")
    if listed is None:
        raise DatasetError(f"{folder}/label/label.lst is missing; give ExpW's folder")
    origin = first_there(folder, "image/origin", "origin", "image", "images")
    if origin is None:
        raise DatasetError(f"{folder}/image/origin is missing; unpack ExpW's pictures there")
    names, faces, labels, boxes = list[str](), list[str](), list[int](), list[tuple[float, ...]]()
    try:
        lines = listed.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{listed} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, face, label, box = _face(line, f"{listed}, line {number}")
        names.append(name)
        faces.append(face)
        labels.append(label)
        boxes.append(box)
    if not names:
        raise DatasetError(f"{listed} lists no faces")
    return FaceSet(
        kind="expw",
        classes=CLASSES,
        labels=np.array(labels, dtype=np.int64),
        names=[f"{name}, face {face}" for name, face in zip(names, faces, strict=True)],
        pictures=PictureFiles([origin / name for name in names]),
        framing="boxes",
        boxes=np.array(boxes, dtype=np.float64),
        images=numbered(names),
        notes=("ExpW: cut by its own face boxes with the network's margin; there is no official split.",),
    )


def _face(line: str, where: str) -> tuple[str, str, int, tuple[float, ...]]:
    # A picture's name may hold spaces: the last seven cells are numbers.
    cells = line.rsplit(maxsplit=_CELLS - 1)
    try:
        name, face = cells[0], cells[1]
        top, left, right, bottom = (float(cell) for cell in cells[2:6])
        label = int(cells[7])
    except (IndexError, ValueError):
        raise DatasetError(f"{where}: {line.strip()!r} is not like '{_FORM}'") from None
    if not 0 <= label < len(CLASSES):
        raise DatasetError(f"{where}: label {label} is none of 0 to {len(CLASSES) - 1}")
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DatasetError(f"{where}: {name!r} is no name of a picture below the folder")
    return name, face, label, (left, top, right - left, bottom - top)
