"""Bring a file into a folder: checked before it gets its name, never half there."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from tracker.fer.download import DownloadError, NotThereError, Report, download
from tracker.fer.locking import only_one
from tracker.fer.manifest import Entry, ZooError
from tracker.fer.sources import Web, locate

_PIECE = 1 << 16
FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors that say that a disk, or what one may use of it, is full."""


class ZooFullError(ZooError):
    """The disk has no room for a file that was to be brought."""


def fetch(entry: Entry, target: Path, source: Path | str | None, report: Report) -> None:
    """Copy (from `source`) or download (from the entry's URL) to `target`.

    The bytes go to ``<target>.partial``; a broken download continues there at the next call. Only a file
    with the manifest's hash is renamed to `target`; another is deleted. Two that bring the same file at once
    do not mix their bytes: the second is told.

    Raises
    ------
    ZooError
        When the source is missing or unreachable, has another hash, or another process is bringing it.
    ZooFullError
        When the disk is full; what came is kept.
    """
    where = locate(entry, source)
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        busy = f"another process is bringing {entry.name} just now; wait for it, or stop it"
        with only_one(target.with_name(target.name + ".lock"), busy):
            if target.is_file() and entry.pin.of_file(target) == entry.pin.digits:
                return  # brought by the one before us
            if partial.is_symlink() and partial.is_file():  # somebody else's file is not written to
                partial.unlink()
            _require_room(entry, target.parent, partial)
            if isinstance(where, Path):
                _copy(entry, where, partial, report)
                expected = entry.size
            else:
                expected = _download(entry, where, partial, report)
            _accept(entry, partial, target, expected)
    except OSError as error:
        came_from = source if source is not None else entry.url
        kind = ZooFullError if error.errno in FULL else ZooError
        raise kind(f"{entry.name} could not be brought from {came_from} to {target}: {error}") from error


def _require_room(entry: Entry, folder: Path, partial: Path) -> None:
    have = partial.stat().st_size if partial.is_file() else 0
    free = shutil.disk_usage(folder).free
    if free < entry.size - have:
        raise ZooFullError(
            f"{entry.name} needs {entry.size - have} bytes more at {folder}, and {free} are free: "
            "free some space and pull again"
        )


def _copy(entry: Entry, source: Path, partial: Path, report: Report) -> None:
    if partial.exists() and source.samefile(partial):
        raise ZooError(
            f"{source} is where {entry.name} is collected; pull without --from to continue, or give another copy"
        )
    done, size = 0, entry.size or source.stat().st_size
    report(done, size)
    with source.open("rb") as reader, partial.open("wb") as writer:
        while done <= size and (piece := reader.read(_PIECE)):  # one piece too much: the hash shows it
            writer.write(piece)
            done += len(piece)
            report(min(done, size), size)


def _download(entry: Entry, where: Web, partial: Path, report: Report) -> int:
    for url in where.urls:
        try:
            return download(url, partial, entry.size, report)
        except NotThereError as error:
            if url != where.urls[-1]:
                continue
            raise _unreachable(entry, where, error) from error
        except DownloadError as error:
            raise _unreachable(entry, where, error) from error
    raise AssertionError("there is always an address")


def _unreachable(entry: Entry, where: Web, error: DownloadError) -> ZooError:
    hint = "try again, or download it elsewhere and give it with --from PATH"
    return ZooError(f"{entry.name} could not be pulled from {' or '.join(where.urls)}: {error}; {hint}")


def _accept(entry: Entry, partial: Path, target: Path, expected: int) -> None:
    size = partial.stat().st_size if partial.is_file() else 0
    if size < expected:
        hint = "pull again to continue"
        raise ZooError(f"{entry.name}: only {size} of {expected} bytes arrived; {hint}")
    found = entry.pin.of_file(partial)
    if found != entry.pin.digits:
        partial.unlink(missing_ok=True)
        raise ZooError(
            f"{entry.name}: what came has the {entry.pin.kind} {found}, expected {entry.pin.digits}; "
            "it was deleted. Pull again, or from another place"
        )
    with partial.open("rb+") as file:  # a power cut must not leave the name without the bytes
        os.fsync(file.fileno())
    partial.replace(target)
