"""A folder that appears whole or not at all: written beside its place, and renamed when it is finished."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tracker.store.database import StorageFullError
from tracker.workflows.export.errors import ExportError

_PARTIAL = ".partial-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def check(out: Path) -> Path:
    """Return the absolute path; raise `ExportError` when something is there already."""
    out = out.absolute()
    try:
        if out.is_symlink() or (out.exists() and not out.is_dir()):
            raise ExportError(f"{out} is no folder; give one that does not exist yet")
        if out.is_dir() and any(out.iterdir()):
            raise ExportError(f"{out} is not empty; give a folder that does not exist yet")
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{out} cannot be used: {error.strerror}") from error
    return out


@contextlib.contextmanager
def partial(out: Path, name: str) -> Iterator[Path]:
    """A private folder beside `out` to write into; nothing of it stays when an exception passes.

    What an earlier run that was killed left behind is removed first.

    Raises
    ------
    StorageFullError
        When the disk fills up.
    ExportError
        When the folder cannot be written.
    """
    with _plain_errors(out):
        for left in out.parent.iterdir():
            if left.name.startswith(f"{out.name}{_PARTIAL}"):
                shutil.rmtree(left)
        here = out.with_name(f"{out.name}{_PARTIAL}{name}")
        here.mkdir(mode=0o700)
        try:
            yield here
        except BaseException:
            shutil.rmtree(here, ignore_errors=True)
            raise


def publish(here: Path, out: Path) -> None:
    """Give a finished folder its name, in one step."""
    _sync(here)
    if out.is_dir():
        out.rmdir()
    here.rename(out)
    _sync(out.parent)


def write(path: Path, data: bytes) -> None:
    """Write a small file through to the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _plain_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"the disk of {out.parent} is full; nothing was exported. Free some space and run it again"
            ) from error
        raise ExportError(f"{out} cannot be written: {error.strerror or error}") from error
