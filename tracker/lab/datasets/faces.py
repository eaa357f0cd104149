"""The one form that every data set is read into: labels in memory, pictures when they are needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.errors import DatasetError
from tracker.vision import stills
from tracker.vision.errors import MediaError

ALL = "all"
"""The name of the only split of data that have none."""

UNLABELLED = -1
"""Stands in place of a label where the data give none, and of a group that is not known."""

_SHORTEST = 3  # letters of a split that is not written out

Framing = Literal["crops", "boxes", "frames"]
"""What a picture shows: a face already cropped, a face in a known box, or a frame in which it must be found."""


class BrokenPictureError(DatasetError):
    """One picture cannot be read; it is skipped, counted and named."""


class Pictures(Protocol):
    """Where pixels come from."""

    def read(self, row: int) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 RGB; `BrokenPictureError` when it cannot be read. Safe from many threads."""
        ...

    def identity(self) -> bytes:
        """Return bytes that differ when the pictures do, without reading every pixel of a folder."""
        ...

    def where(self, rows: NDArray[np.int64]) -> Pictures:
        """Return the pictures of some rows."""
        ...


@dataclass(frozen=True)
class HeldPictures:
    """Pictures in memory: (N, H, W) grey or (N, H, W, 3) RGB, uint8."""

    pixels: NDArray[np.uint8]

    def read(self, row: int) -> NDArray[np.uint8]:
        """See `Pictures`."""
        one = self.pixels[row]
        return np.repeat(one[:, :, None], 3, axis=2) if one.ndim == 2 else one

    def identity(self) -> bytes:
        """See `Pictures`."""
        return hashlib.sha256(np.ascontiguousarray(self.pixels).data).digest()

    def where(self, rows: NDArray[np.int64]) -> HeldPictures:
        """See `Pictures`."""
        return HeldPictures(self.pixels[rows])


@dataclass(frozen=True)
class PictureFiles:
    """Pictures on disk, each opened when it is read."""

    paths: Sequence[Path]

    def read(self, row: int) -> NDArray[np.uint8]:
        """See `Pictures`."""
        path = self.paths[row]
        try:
            return stills.decode(path.read_bytes(), path.name)
        except OSError as error:
            raise BrokenPictureError(f"{path.name}: {error.strerror or error}") from error
        except MediaError as error:
            raise BrokenPictureError(str(error)) from error

    def identity(self) -> bytes:
        """See `Pictures`: names, sizes and times of change; a picture that is missing counts as such."""
        digest = hashlib.sha256()
        for path in self.paths:
            try:
                found = path.stat()
                state = f"{found.st_size} {found.st_mtime_ns}"
            except OSError:
                state = "missing"
            digest.update(f"{path}\0{state}\n".encode())
        return digest.digest()

    def where(self, rows: NDArray[np.int64]) -> PictureFiles:
        """See `Pictures`."""
        return PictureFiles([self.paths[row] for row in rows])


@dataclass(frozen=True)
class Groups:
    """One attribute of the people on the pictures, such as their age.

    Attributes
    ----------
    values
        Names of the groups.
    codes
        (N,) index into `values`, or `UNLABELLED` where the data do not say.
    """

    values: tuple[str, ...]
    codes: NDArray[np.int64]


@dataclass(frozen=True)
class FaceSet:
    """Labelled faces of one data set.

    Attributes
    ----------
    kind
        What stands before the colon on the command line, such as ``rafdb``.
    classes
        The emotions that the data can name, in the data's own order. Fewer may occur.
    labels
        (N,) index into `classes`, or `UNLABELLED`.
    names
        (N,) what a picture is called in messages.
    pictures
        Its pixels.
    framing
        What it shows.
    boxes
        (N, 4) x, y, width, height in pixels, for ``framing="boxes"``.
    splits, split
        Names as the data spell them, and (N,) index into them.
    held_out
        The split that is judged when none is named; empty: there is no such split.
    groups
        By attribute.
    people
        (N,) who is on the picture, as a number, where the data say it.
    images
        (N,) which image a face is from, where one image holds several.
    notes
        What a reader should know about these data, in sentences.
    """

    kind: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    names: Sequence[str]
    pictures: Pictures
    framing: Framing = "crops"
    boxes: NDArray[np.float64] | None = None
    splits: tuple[str, ...] = (ALL,)
    split: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    held_out: str = ""
    groups: Mapping[str, Groups] = field(default_factory=dict)
    people: NDArray[np.int64] | None = None
    images: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.labels)
        if len(self.split) == 0 and len(self.splits) == 1:
            object.__setattr__(self, "split", np.zeros(n, np.int64))
        columns = [self.names, self.split, self.people, self.images, self.boxes]
        columns += [g.codes for g in self.groups.values()]
        if any(column is not None and len(column) != n for column in columns):
            raise DatasetError(f"{self.kind}: columns of different length")
        if n and (self.labels.max() >= len(self.classes) or self.labels.min() < UNLABELLED):
            raise DatasetError(f"{self.kind}: a label is none of {', '.join(self.classes)}")
        if (self.framing == "boxes") != (self.boxes is not None):
            raise DatasetError(f"{self.kind}: boxes belong to pictures that hold faces in boxes")

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, rows: NDArray[np.bool_]) -> FaceSet:
        """Rows where a mask (N,) is true."""
        index = np.flatnonzero(rows).astype(np.int64)
        return replace(
            self,
            labels=self.labels[index],
            names=[self.names[int(row)] for row in index],
            pictures=self.pictures.where(index),
            boxes=None if self.boxes is None else self.boxes[index],
            split=self.split[index],
            groups={name: Groups(g.values, g.codes[index]) for name, g in self.groups.items()},
            people=None if self.people is None else self.people[index],
            images=None if self.images is None else self.images[index],
        )

    def of(self, split: str) -> FaceSet:
        """Rows of one split, spelt as in the data; ``all`` takes every row.

        A beginning that only one split has is enough: ``val`` for AffectNet's ``validation`` or ``val_set``.

        Raises
        ------
        DatasetError
            When there is no such split, or no face in it.
        """
        if split == ALL:
            return self
        name = self._spelt(split)
        found = self.where(self.split == self.splits.index(name))
        if len(found) == 0:
            raise DatasetError(f"the split {name!r} of these data holds no faces")
        return found

    def _spelt(self, split: str) -> str:
        if split in self.splits:
            return split
        begun = [name for name in self.splits if name.lower().startswith(split.lower())]
        if len(begun) == 1 and len(split) >= _SHORTEST:
            return begun[0]
        there = ", ".join(dict.fromkeys([*self.splits, ALL]))
        raise DatasetError(f"there is no split {split!r}; there are: {there}")

    def usual_split(self) -> str:
        """Return the split to judge when none is named.

        It is the only one that has faces, else the one held out for choosing; never FER2013's PrivateTest while
        others are there, for whoever chooses by it spoils it. Data that hold nothing out are taken whole.

        Raises
        ------
        DatasetError
            When there are several and the one held out has no faces.
        """
        there = [self.splits[int(i)] for i in np.unique(self.split)]
        if len(there) == 1:
            return there[0]
        if self.held_out and self.held_out not in there:
            raise DatasetError(f"name a split with --split; these data hold {', '.join([*there, ALL])}")
        return self.held_out or ALL

    def drawn(self) -> tuple[str, NDArray[np.int64]]:
        """Return what a bootstrap over these faces draws (people, or images), and (N,) which of them each is."""
        if self.people is not None:
            return "people", self.people
        if self.images is not None:
            return "images", self.images
        return "images", np.arange(len(self), dtype=np.int64)

    def fingerprint(self) -> str:
        """Return a hash that changes when labels or pictures do."""
        digest = hashlib.sha256(f"{self.kind}\0{self.classes}\0{self.splits}\0{self.framing}".encode())
        for column in (self.labels, self.split, self.boxes, self.people, self.images):
            digest.update(b"-" if column is None else np.ascontiguousarray(column).tobytes())
        for name, group in sorted(self.groups.items()):
            digest.update(f"{name}\0{group.values}".encode() + group.codes.tobytes())
        digest.update(self.pictures.identity())
        return digest.hexdigest()


def numbered(names: Sequence[str]) -> NDArray[np.int64]:
    """Give equal names equal numbers, in the order of their first appearance.

    Examples
    --------
    >>> numbered(["S005", "S010", "S005"]).tolist()
    [0, 1, 0]
    """
    places: dict[str, int] = {}
    return np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)


def first_there(folder: Path, *places: str) -> Path | None:
    """Return the first of several places below a folder that exists."""
    return next((folder / place for place in places if (folder / place).exists()), None)
