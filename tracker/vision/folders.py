"""A folder of stills as a recording: in what order, at which instants."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tracker.vision import stills
from tracker.vision.errors import MediaError
from tracker.vision.headers import SUFFIXES
from tracker.vision.recording import Frame, Sampling


@dataclass(frozen=True, slots=True)
class Survey:
    """What reading every picture's header, but no pixels, tells about a folder (or one picture).

    Attributes
    ----------
    paths
        The pictures in the order of their instants if all state one, else of their names.
    instants
        UTC, one for each picture; None unless every picture states one.
    sha256
        Of names and contents; of one picture's bytes alone.
    """

    paths: tuple[Path, ...]
    instants: tuple[datetime, ...] | None
    sha256: str


def survey(path: Path) -> Survey:
    """Look at one picture, or at all pictures directly inside a folder (not at hidden ones).

    Raises
    ------
    MediaError
        When a folder holds no picture, or one picture cannot be used.
    """
    alone = path.is_file()
    paths = [path] if alone else _pictures(path)
    digest, taken = hashlib.sha256(), list[datetime | None]()
    for picture in paths:
        data = picture.read_bytes()
        content = hashlib.sha256(data)
        if alone:
            digest = content
            taken.append(stills.inspect(data, picture.name).exif.taken_at)
            continue
        digest.update(f"{picture.name}\0{content.hexdigest()}\n".encode())
        try:
            taken.append(stills.inspect(data, picture.name).exif.taken_at)
        except MediaError:  # told when its turn comes, so that one bad picture spoils no folder
            taken.append(None)
    known = [moment for moment in taken if moment is not None]
    if len(known) < len(paths):
        return Survey(tuple(paths), None, digest.hexdigest())
    ordered = sorted(zip(known, paths, strict=True))
    return Survey(tuple(p for _, p in ordered), tuple(t for t, _ in ordered), digest.hexdigest())


def still_frames(
    found: Survey, every: float, skip: Container[int] = ()
) -> Generator[Frame, None, str | None]:
    """Yield pictures as frames; return what was wrong with those left out, if any were.

    Where every picture states its instant, times are relative to the first and `every` thins them as it
    does a video's frames. Otherwise nothing is known but the order: the n-th picture is at n times
    `every`, and none is left out.

    Raises
    ------
    MediaError
        When no picture at all can be decoded.
    """
    sampling, bad = Sampling(every), list[str]()
    for index, path in enumerate(found.paths):
        pts_us = index * sampling.step_us
        if found.instants is not None:
            pts_us = round((found.instants[index] - found.instants[0]).total_seconds() * 1_000_000)
        if not sampling.due(pts_us) or pts_us in skip:
            continue
        try:
            pixels = stills.decode(path.read_bytes(), path.name)
        except MediaError as error:
            if len(found.paths) == 1:
                raise
            bad.append(str(error))
            continue
        yield Frame(pixels, pts_us)
    if len(bad) == len(found.paths):
        raise MediaError(f"none of the {len(bad)} pictures can be read; the first: {bad[0]}")
    return f"{len(bad)} of {len(found.paths)} pictures were left out; the first: {bad[0]}" if bad else None


def _pictures(folder: Path) -> list[Path]:
    found = sorted(
        p for p in folder.iterdir()
        if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()
    )  # fmt: skip
    if not found:
        raise MediaError(
            f"{folder.name} holds no picture; give a folder with JPEG, PNG, WebP, BMP or TIFF files"
        )
    return found
