"""A folder that appears whole or not at all: written beside its place, and renamed when it is finished."""

from __future__ import annotations

import contextlib
import errno
import fcntl
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


def left(out: Path) -> list[Path]:
    """The folders beside `out` that runs which were cut short have left."""
    if not out.parent.is_dir():
        return []
    return sorted(p for p in out.parent.iterdir() if p.name.startswith(f"{out.name}{_PARTIAL}"))


def place(out: Path, name: str) -> Path:
    """Where a run of this name writes before everything is there."""
    return out.with_name(f"{out.name}{_PARTIAL}{name}")


@contextlib.contextmanager
def partial(out: Path, name: str, *, resumable: bool = False) -> Iterator[Path]:
    """A private folder beside `out` to write into; nothing of it stays when an error passes.

    What an earlier run that was killed left behind is removed first.

    Parameters
    ----------
    resumable
        Whether what an earlier run of the same name left is kept, and this one's is kept when somebody ends it.

    Raises
    ------
    StorageFullError
        When the disk fills up.
    ExportError
        When the folder cannot be written, or another run is writing there.
    """
    here = place(out, name)
    with _plain_errors(out):
        for old in left(out):
            if not (resumable and old == here):
                with _held(old, out):
                    shutil.rmtree(old)
        here.mkdir(mode=0o700, exist_ok=True)
        with _held(here, out):
            try:
                yield here
            except BaseException as error:
                if isinstance(error, Exception) or not resumable:
                    shutil.rmtree(here, ignore_errors=True)
                raise


def empty(here: Path) -> None:
    """Remove everything in a folder that is written into."""
    for path in here.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def publish(here: Path, out: Path) -> None:
    """Give a finished folder its name, in one step, once everything in it is on the disk."""
    for inner, _, _ in os.walk(here):
        _sync(Path(inner))
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
def _held(folder: Path, out: Path) -> Iterator[None]:
    """Keep a folder to ourselves; the system lets go of it when the process ends, however it does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ExportError(
            f"{out} is being written by another run; wait for it, or give another folder"
        ) from None
    try:
        yield
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
