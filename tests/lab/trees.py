"""Small data sets in the official layouts, written by the tests: no face of a real one is in the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

AFFECTNET_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)


def picture(seed: int, side: int | tuple[int, int] = 100) -> NDArray[np.uint8]:
    """Colourful noise of its own, smooth enough that a JPEG keeps it."""
    height, width = (side, side) if isinstance(side, int) else side
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def write(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write RGB pixels (or grey) as a picture of the path's kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[:, :, ::-1] if pixels.ndim == 3 else pixels)


def affectnet_2021(root: Path, codes: dict[str, Sequence[int]]) -> Path:
    """``val_set`` and ``train_set``: pictures, and four arrays each as the release has them."""
    for part, labels in codes.items():
        for number, code in enumerate(labels):
            write(root / part / "images" / f"{number}.jpg", picture(number, 224))
            notes = root / part / "annotations"
            notes.mkdir(parents=True, exist_ok=True)
            np.save(notes / f"{number}_exp.npy", np.array(str(code)))
            np.save(notes / f"{number}_val.npy", np.array("0.25"))
            np.save(notes / f"{number}_aro.npy", np.array("-0.5"))
            np.save(notes / f"{number}_lnd.npy", np.zeros(136))
    return root


def affectnet_2017(root: Path, codes: dict[str, Sequence[int]], header: bool = True) -> Path:
    """``training.csv``, ``validation.csv`` and ``Manually_Annotated_Images``; the face in the right half."""
    for part, labels in codes.items():
        lines = [AFFECTNET_HEADER] if header else []
        for number, code in enumerate(labels):
            name = f"{number % 3}/{part}{number}.jpg"
            write(root / "Manually_Annotated_Images" / name, picture(number, (120, 200)))
            lines.append(f"{name},100,10,90,90,1.0;2.0,{code},0.1,-2")
        (root / f"{part}.csv").write_text("\n".join(lines) + "\n")
    return root


def rafdb(
    root: Path, labels: dict[str, Sequence[int]], attributes: Sequence[tuple[int, int, int]] = ()
) -> Path:
    """``basic`` with the list, aligned faces of 100 px and, for as many as are given, gender, race and age."""
    lines, place = [], 0
    for part, own in labels.items():
        for number, label in enumerate(own, start=1):
            stem = f"{part}_{number:05d}" if part == "train" else f"{part}_{number:04d}"
            write(root / "Image" / "aligned" / f"{stem}_aligned.jpg", picture(number))
            lines.append(f"{stem}.jpg {label}")
            if place < len(attributes):
                notes = root / "Annotation" / "manual"
                notes.mkdir(parents=True, exist_ok=True)
                points = "".join(f"{10.5 * i:.6f}\t{20.25 * i:.6f}\n" for i in range(1, 6))
                said = "".join(f"{code}\n" for code in attributes[place])
                (notes / f"{stem}_manu_attri.txt").write_text(points + said)
            place += 1
    (root / "EmoLabel").mkdir(parents=True, exist_ok=True)
    (root / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return root


def expw(root: Path, lines: Sequence[str], pictures: dict[str, NDArray[np.uint8]]) -> Path:
    """``label/label.lst`` and ``image/origin``."""
    for name, pixels in pictures.items():
        write(root / "image" / "origin" / name, pixels)
    (root / "label").mkdir(parents=True, exist_ok=True)
    (root / "label" / "label.lst").write_text("\n".join(lines) + "\n")
    return root


def ckplus(
    root: Path, peaks: dict[str, int | None], frames: int = 3, side: int | tuple[int, int] = 64
) -> Path:
    """Sequences such as ``S005/001``, each of some frames; a code for those that are labelled."""
    for place, (sequence, code) in enumerate(peaks.items()):
        subject, number = sequence.split("/")
        for frame in range(1, frames + 1):
            name = f"{subject}_{number}_{frame:08d}"
            write(root / "cohn-kanade-images" / sequence / f"{name}.png", picture(10 * place + frame, side))
        notes = root / "Emotion" / sequence
        notes.mkdir(parents=True, exist_ok=True)
        if code is not None:
            last = f"{subject}_{number}_{frames:08d}"
            (notes / f"{last}_emotion.txt").write_text(f"   {code:.7e}\n")
    return root


def classes(root: Path, counts: dict[str, int], side: int = 60) -> Path:
    """A folder per class with so many pictures."""
    for place, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            write(root / name / f"{number}.png", picture(100 * place + number, side))
    return root
