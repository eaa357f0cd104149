"""RAF-DB, the basic set (Li, Deng & Du 2017): seven emotions, and who the people look like to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import UNLABELLED, FaceSet, Groups, PictureFiles, first_there

CLASSES = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
"""RAF-DB's labels 1 to 7."""

SPLITS = ("train", "test")

ATTRIBUTES = {
    "gender": ("male", "female", "unsure"),
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
}
"""The last three numbers of an annotation file, in this order, as RAF-DB's annotators guessed and named them."""

_LANDMARKS = 10  # numbers of five points, before the attributes


def read_rafdb(folder: Path) -> FaceSet:
    """Read ``EmoLabel/list_patition_label.txt`` (so spelt), aligned faces, and attributes where they are.

    Parameters
    ----------
    folder
        The folder ``basic``, or the one that holds it.

    Raises
    ------
    DatasetError
        When the list or the aligned faces are missing, or a line is malformed.
    """
    root = next((r for r in (folder, folder / "basic") if (r / "EmoLabel").is_dir()), folder)
    listed = first_there(root, "EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt")
    if listed is None:
        raise DatasetError(f"{root}/EmoLabel/list_patition_label.txt is missing; give RAF-DB's folder basic")
    aligned = first_there(root, "Image/aligned")
    if aligned is None:
        raise DatasetError(f"{root}/Image/aligned is missing; unpack RAF-DB's aligned.zip there")
    paths, labels, split, stems = list[Path](), list[int](), list[int](), list[str]()
    for number, line in enumerate(_lines(listed), start=1):
        cells = line.split()
        if not cells:
            continue
        name, label = (cells[0], cells[1]) if len(cells) == 2 else (line, "")
        part = name.split("_")[0]
        if label not in tuple("1234567") or part not in SPLITS or "/" in name:
            raise DatasetError(f"{listed}, line {number}: {line.strip()!r} is not like 'train_00001.jpg 5'")
        stem, suffix = Path(name).stem, Path(name).suffix
        paths.append(aligned / f"{stem}_aligned{suffix}")
        labels.append(int(label) - 1)
        split.append(SPLITS.index(part))
        stems.append(stem)
    if not paths:
        raise DatasetError(f"{listed} lists no faces")
    groups, notes = _groups(root, stems)
    return FaceSet(
        kind="rafdb",
        classes=CLASSES,
        labels=np.array(labels, dtype=np.int64),
        names=[path.name for path in paths],
        pictures=PictureFiles(paths),
        splits=SPLITS,
        split=np.array(split, dtype=np.int64),
        held_out="test",
        groups=groups,
        notes=("RAF-DB: aligned faces, taken as they are.", *notes),
    )


def _groups(root: Path, stems: list[str]) -> tuple[dict[str, Groups], tuple[str, ...]]:
    place = first_there(root, "Annotation/manual", "Annotation", "annotation/manual", "annotation")
    if place is None:
        return {}, ("RAF-DB's Annotation/manual is not there: no figures by gender, race or age.",)
    codes = np.stack([_attributes(place / f"{stem}_manu_attri.txt") for stem in stems])
    unknown = int((codes == UNLABELLED).all(axis=1).sum())
    notes: tuple[str, ...] = (
        "Gender, race and age are what RAF-DB's annotators guessed from a face, not what people say of themselves.",
    )
    if unknown == len(stems):
        return {}, (
            f"{place} holds no file like {stems[0]}_manu_attri.txt: no figures by gender, race or age.",
        )
    if unknown:
        notes += (f"{unknown} of {len(stems)} faces have no readable attributes.",)
    return {
        name: Groups(values, codes[:, i].copy()) for i, (name, values) in enumerate(ATTRIBUTES.items())
    }, notes


def _attributes(path: Path) -> NDArray[np.int64]:
    """Read gender, race and age; `UNLABELLED` for what is not there or none of the codes."""
    none = np.full(len(ATTRIBUTES), UNLABELLED, dtype=np.int64)
    if not path.is_file():
        return none
    numbers = path.read_text(encoding="utf-8", errors="replace").split()
    if len(numbers) != _LANDMARKS + len(ATTRIBUTES):
        return none
    for i, (text, values) in enumerate(zip(numbers[_LANDMARKS:], ATTRIBUTES.values(), strict=True)):
        if text.isdigit() and int(text) < len(values):
            none[i] = int(text)
    return none


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
