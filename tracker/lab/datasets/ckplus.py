"""CK+, Extended Cohn-Kanade (Lucey et al. 2010): posed sequences from neutral to a peak, by subject."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import FaceSet, PictureFiles, first_there, numbered

CLASSES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""CK+'s codes 0 to 7. No sequence is labelled 0."""

_SUFFIX = "_emotion.txt"


def read_ckplus(folder: Path) -> FaceSet:
    """Read ``Emotion/S005/001/S005_001_00000011_emotion.txt`` and the frame of ``cohn-kanade-images`` it names.

    That is a labelled sequence's last frame, the peak: 327 of 593 sequences, 123 subjects. Frames are not cropped:
    the face is found first; square pictures are taken as crops already.

    Raises
    ------
    DatasetError
        When a folder is missing, or a label is none of CK+'s codes.
    """
    emotion = first_there(folder, "Emotion", "Emotion_labels/Emotion", "Emotion_labels")
    images = first_there(folder, "cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")
    for name, found in (("Emotion", emotion), ("cohn-kanade-images", images)):
        if found is None:
            raise DatasetError(f"{folder / name} is missing; give the folder that holds CK+'s two folders")
    assert emotion is not None
    assert images is not None
    paths, labels, people = list[Path](), list[int](), list[str]()
    for file in sorted(emotion.rglob(f"*{_SUFFIX}")):
        frame = file.name.removesuffix(_SUFFIX)
        cells = frame.split("_")
        if file.name.startswith("."):
            continue
        if len(cells) != 3:
            raise DatasetError(f"{file} is not named like S005_001_00000011{_SUFFIX}")
        paths.append(images / cells[0] / cells[1] / f"{frame}.png")
        labels.append(_label(file))
        people.append(cells[0])
    if not paths:
        raise DatasetError(f"{emotion} holds no file *{_SUFFIX}")
    return FaceSet(
        kind="ckplus",
        classes=CLASSES,
        labels=np.array(labels, dtype=np.int64),
        names=[path.name for path in paths],
        pictures=PictureFiles(paths),
        framing="frames",
        people=numbered(people),
        notes=(
            "CK+: the peak frame of each labelled sequence; posed in a laboratory, so easier than daily life.",
            "No sequence is labelled neutral: an answer of neutral is counted as wrong.",
        ),
    )


def _label(path: Path) -> int:
    try:
        code = float(path.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"{path} holds no number: {error}") from error
    if not code.is_integer() or not 0 <= code < len(CLASSES):
        raise DatasetError(f"{path}: {code:g} is none of CK+'s codes 0 to {len(CLASSES) - 1}")
    return int(code)
