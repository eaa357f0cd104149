"""AffectNet (Mollahosseini et al. 2017, arXiv 1708.03985), in the forms of 2021 and 2017."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import UNLABELLED, FaceSet, PictureFiles, first_there

CLASSES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""AffectNet's codes 0 to 7; 8 (none), 9 (uncertain) and 10 (no face) are no emotions."""

_MOST = 10

COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height",
    "facial_landmarks", "expression", "valence", "arousal",
)  # fmt: skip
"""Columns of the lists of 2017, in their order; some copies lack the header."""

_LISTS = {"training": ("training.csv",), "validation": ("validation.csv",)}
_PLACES_OF_LISTS = (".", "Manually_Annotated_file_lists", "Manually_Annotated/Manually_Annotated_file_lists")
_PLACES_OF_PICTURES = (
    "Manually_Annotated/Manually_Annotated_Images", "Manually_Annotated_Images",
    "Manually_Annotated_compressed", "Manually_Annotated", ".",
)  # fmt: skip


def read_affectnet(folder: Path) -> FaceSet:
    """Read either release; which one it is shows in the folder.

    2021: ``train_set`` and ``val_set``, each with ``images/N.jpg`` (cropped faces) and ``annotations/N_exp.npy``.
    2017: ``training.csv`` and ``validation.csv`` with a face's box, and the folder of manually annotated images.
    One of the two splits is enough.

    Raises
    ------
    DatasetError
        When it is neither, or a label is none of AffectNet's codes.
    """
    parts = {name: folder / name for name in ("train_set", "val_set") if (folder / name).is_dir()}
    if parts:
        return _release_of_2021(parts)
    lists = {
        split: found
        for split, names in _LISTS.items()
        if (found := first_there(folder, *(f"{place}/{n}" for place in _PLACES_OF_LISTS for n in names)))
    }
    if not lists:
        raise DatasetError(
            f"{folder} is no AffectNet: there is neither val_set/annotations (2021) nor validation.csv (2017)"
        )
    return _release_of_2017(folder, lists)


def _release_of_2021(parts: dict[str, Path]) -> FaceSet:
    paths, labels, split = list[Path](), list[int](), list[int]()
    for place, part in enumerate(parts.values()):
        notes = sorted((part / "annotations").glob("*_exp.npy"), key=lambda p: (len(p.name), p.name))
        there = {p.stem: p for p in (part / "images").glob("*.*")}
        for note in notes:
            number = note.name.removesuffix("_exp.npy")
            paths.append(there.get(number, part / "images" / f"{number}.jpg"))
            labels.append(_label(_held(note), str(note)))
            split.append(place)
    if not paths:
        raise DatasetError(f"{next(iter(parts.values()))}/annotations holds no N_exp.npy; is it unpacked?")
    return FaceSet(
        kind="affectnet",
        classes=CLASSES,
        labels=np.array(labels, dtype=np.int64),
        names=[f"{path.parent.parent.name}/{path.name}" for path in paths],
        pictures=PictureFiles(paths),
        splits=tuple(parts),
        split=np.array(split, dtype=np.int64),
        held_out="val_set",
        notes=(
            "AffectNet, release of 2021: cropped faces, taken as they are.",
            "Figures on 3,999 and on 4,000 validation faces, and on other crops, differ by 1 to 2 points.",
        ),
    )


def _release_of_2017(folder: Path, lists: dict[str, Path]) -> FaceSet:
    paths, labels, split, boxes = list[Path](), list[int](), list[int](), list[tuple[float, ...]]()
    roots = [folder / place for place in _PLACES_OF_PICTURES if (folder / place).is_dir()]
    for place, path in enumerate(lists.values()):
        for number, row in _listed(path):
            where = f"{path}, line {number}"
            file = row["subDirectory_filePath"]
            if Path(file).is_absolute() or ".." in Path(file).parts:
                raise DatasetError(f"{where}: {file!r} is no path below the folder")
            paths.append(next((r / file for r in roots if (r / file).is_file()), roots[0] / file))
            labels.append(_label(row["expression"], where))
            boxes.append(_box(row, where))
            split.append(place)
    if not paths:
        raise DatasetError(f"{next(iter(lists.values()))} lists no faces")
    return FaceSet(
        kind="affectnet",
        classes=CLASSES,
        labels=np.array(labels, dtype=np.int64),
        names=[f"{path.parent.name}/{path.name}" for path in paths],
        pictures=PictureFiles(paths),
        framing="boxes",
        boxes=np.array(boxes, dtype=np.float64),
        splits=tuple(lists),
        split=np.array(split, dtype=np.int64),
        held_out="validation",
        notes=("AffectNet, release of 2017: cut by its own face boxes with the network's margin.",),
    )


def _listed(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for number, cells in enumerate(csv.reader(file), start=1):
                if not cells or (number == 1 and cells[0].strip() == COLUMNS[0]):
                    continue
                if len(cells) < COLUMNS.index("expression") + 1:
                    raise DatasetError(f"{path}, line {number}: {len(cells)} cells, not {len(COLUMNS)}")
                yield number, dict(zip(COLUMNS, cells, strict=False))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is no CSV file: {error}") from error


def _held(path: Path) -> str:
    try:
        return str(np.load(path, allow_pickle=False).reshape(-1)[0])
    except (OSError, ValueError, EOFError, IndexError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error


def _label(text: str, where: str) -> int:
    try:
        code = float(text)
    except ValueError:
        code = -1.0
    if not code.is_integer() or not 0 <= code <= _MOST:
        raise DatasetError(f"{where}: expression {text!r} is none of AffectNet's codes 0 to {_MOST}")
    return int(code) if code < len(CLASSES) else UNLABELLED


def _box(row: dict[str, str], where: str) -> tuple[float, ...]:
    try:
        return tuple(float(row[c]) for c in COLUMNS[1:5])
    except ValueError as error:
        raise DatasetError(f"{where}: {error}; the face box is four numbers") from error
