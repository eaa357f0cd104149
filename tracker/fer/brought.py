"""Where networks lie that people bring themselves: whole with their entry in the data folder, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from tracker.fer.fetch import ZooFullError
from tracker.fer.locking import only_one
from tracker.fer.manifest import Entry, ZooError, read_manifest
from tracker.fer.writing import write_manifest

FOLDER = "added"
"""Below the data folder, with a folder for each; entries stand in ``manifest.toml`` beside it."""

_MANIFEST = "manifest.toml"


def keep(data: Path, entry: Entry, content: bytes) -> Path:
    """Write a network's file and then its entry; a run that is killed between leaves no entry.

    Parameters
    ----------
    data
        Where pulls and additions go.
    entry
        Its file lies in `FOLDER`, in a folder of its name.
    content
        The file.

    Raises
    ------
    ZooError
        When the name is taken, or the folder cannot be written.
    ZooFullError
        When the disk is full; nothing of it stays.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        with only_one(data / f"{_MANIFEST}.lock"):
            entries = _entries(data)
            if entry.name in entries:
                raise ZooError(
                    f"{entry.name!r} is there already; run: affect-tracker networks remove {entry.name}"
                )
            _sweep(data, entries)
            path = data / entry.file
            try:
                _write(path, content)
                write_manifest(data / _MANIFEST, [*entries.values(), entry])
            except BaseException:
                shutil.rmtree(path.parent, ignore_errors=True)
                raise
            return path
    except OSError as error:
        kind = ZooFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else ZooError
        raise kind(f"{entry.name} could not be written to {data}: {error}; nothing was added") from error


def drop(data: Path, name: str) -> None:
    """Take away a network that was brought: its entry first, then its file.

    Raises
    ------
    ZooError
        When it is not there, or the folder cannot be written.
    """
    try:
        with only_one(data / f"{_MANIFEST}.lock"):
            entries = _entries(data)
            if entries.pop(name, None) is None:
                raise ZooError(f"{name!r} was not added here")
            write_manifest(data / _MANIFEST, entries.values())
            _sweep(data, entries)
    except OSError as error:
        raise ZooError(f"{name} could not be removed from {data}: {error}") from error


def _entries(data: Path) -> dict[str, Entry]:
    path = data / _MANIFEST
    return read_manifest(path) if path.is_file() else {}


def _sweep(data: Path, entries: dict[str, Entry]) -> None:
    """Delete what no entry names: what a killed run left, or what was taken away."""
    folder = data / FOLDER
    if not folder.is_dir():
        return
    kept = {(data / entry.file).parent for entry in entries.values()}
    for there in folder.iterdir():
        if there not in kept:
            shutil.rmtree(there, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
