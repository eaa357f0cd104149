"""Bring a file into a folder: checked before it gets its name, never half there."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from tracker.fer.manifest import Entry, ZooError

Report = Callable[[int, int], None]
"""Called with bytes so far and bytes in all."""

_PIECE = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte


def fetch(entry: Entry, target: Path, source: Path | None, report: Report) -> None:
    """Copy (from `source`) or download (from the entry's URL) to `target`.

    The bytes go to ``<target>.partial``; a broken download continues there at the next call. Only a file
    with the manifest's hash is renamed to `target`; another is deleted.

    Raises
    ------
    ZooError
        When the source is missing or unreachable, has another hash, or the disk is full.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source is not None:
            _copy(entry, _locate(entry, source), partial, report)
        else:
            _download(entry, partial, report)
    except OSError as error:
        where = source if source is not None else entry.url
        raise ZooError(f"{entry.name} could not be brought from {where} to {target}: {error}") from error
    _accept(entry, partial, target)


def _locate(entry: Entry, source: Path) -> Path:
    if source.is_dir():  # a mirror: by full path, or all files in one folder
        for candidate in (source / entry.file, source / Path(entry.file).name):
            if candidate.is_file():
                return candidate
        raise ZooError(f"{source} holds no {Path(entry.file).name}; put the file for {entry.name} there")
    if not source.is_file():
        raise ZooError(f"{source} does not exist; give the path of {Path(entry.file).name}")
    return source


def _copy(entry: Entry, source: Path, partial: Path, report: Report) -> None:
    with source.open("rb") as reader, partial.open("wb") as writer:
        _pour(entry, reader, writer, 0, report)


def _download(entry: Entry, partial: Path, report: Report) -> None:
    if not entry.url.startswith(("https://", "http://")):
        raise ZooError(f"{entry.name} has no address to pull from; give its file with --from PATH")
    have = partial.stat().st_size if partial.is_file() else 0
    if have >= entry.size:
        have = 0
    request = urllib.request.Request(entry.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            if answer.status != 206:
                have = 0  # the server does not continue; start over
            with partial.open("ab" if have else "wb") as writer:
                _pour(entry, answer, writer, have, report)
    except (urllib.error.URLError, HTTPException, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        hint = "try again, or download it elsewhere and give it with --from PATH"
        raise ZooError(f"{entry.name} could not be pulled from {entry.url}: {reason}; {hint}") from error


def _pour(entry: Entry, reader: BinaryIO, writer: BinaryIO, done: int, report: Report) -> None:
    report(done, entry.size)
    while piece := reader.read(_PIECE):
        writer.write(piece)
        done += len(piece)
        report(min(done, entry.size), entry.size)
        if done > entry.size:  # not our file, and perhaps without an end
            break
    if shutil.disk_usage(Path(writer.name).parent).free == 0:
        raise OSError(f"no space left at {Path(writer.name).parent}")


def _accept(entry: Entry, partial: Path, target: Path) -> None:
    size = partial.stat().st_size
    if size < entry.size:
        hint = "pull again to continue"
        raise ZooError(f"{entry.name}: only {size} of {entry.size} bytes arrived; {hint}")
    with partial.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != entry.sha256:
        partial.unlink()
        raise ZooError(
            f"{entry.name}: what came has the sha256 {found}, expected {entry.sha256}; it was deleted. "
            "Pull again, or from another place"
        )
    partial.replace(target)
