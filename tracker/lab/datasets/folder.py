"""A folder with one folder of pictures per emotion, alone or below a folder per split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import ALL, FaceSet, PictureFiles
from tracker.lab.datasets.names import SYNONYMS, emotion_named, in_our_order
from tracker.vision.headers import SUFFIXES

_HELD_OUT = ("val", "valid", "validation", "dev", "test", "testing")


def read_folder(folder: Path) -> FaceSet:
    """Read ``DIR/happy/*.jpg`` and the like, or ``DIR/train/happy/*.jpg`` with any names of splits.

    What a class is called may be any of `tracker.lab.datasets.names.SYNONYMS`. Every file of a class's folder counts
    as a picture, so that those that are none are named as broken; hidden files do not. A folder of another name is left
    out and said; with fewer than two emotions there is nothing to judge.

    Raises
    ------
    DatasetError
        When the folder is missing, or does not hold two emotions.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder")
    below = _folders(folder)
    # One folder that means an emotion says that these are the classes; splits are never called so.
    parts = {ALL: folder} if any(emotion_named(p.name) for p in below) else {p.name: p for p in below}
    paths, meant, split, other = list[Path](), list[str](), list[int](), dict[str, int]()
    named = set[str]()
    for place, part in enumerate(parts.values()):
        for sub in _folders(part):
            files = sorted(p for p in sub.rglob("*") if p.is_file() and not p.name.startswith("."))
            emotion = emotion_named(sub.name)
            if emotion is None:
                other[sub.name] = other.get(sub.name, 0) + len(files)
                continue
            named.add(emotion)
            paths += files
            meant += [emotion] * len(files)
            split += [place] * len(files)
    if len(named) < 2 or not paths:
        names = ", ".join(sorted(other)) or "none"
        raise DatasetError(
            f"{folder} needs folders of pictures named for two emotions or more ({_known()}); "
            f"folders of other names: {names}"
        )
    classes = in_our_order(named)
    splits = tuple(parts)
    return FaceSet(
        kind="folder",
        classes=classes,
        labels=np.array([classes.index(e) for e in meant], dtype=np.int64),
        names=[str(path.relative_to(folder)) for path in paths],
        pictures=PictureFiles(paths),
        splits=splits,
        split=np.array(split, dtype=np.int64),
        held_out=next((name for want in _HELD_OUT for name in splits if name.lower() == want), ""),
        notes=(
            *(f"Folder {name!r} means no emotion: {n} files left out." for name, n in sorted(other.items())),
            *_strangers(paths),
        ),
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__")))


def _known() -> str:
    return ", ".join(names[0] for names in SYNONYMS.values())


def _strangers(paths: list[Path]) -> tuple[str, ...]:
    n = sum(path.suffix.lower() not in SUFFIXES for path in paths)
    return (f"{n} files do not look like pictures by their names.",) if n else ()
