"""One process at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.fer.manifest import ZooError


@contextmanager
def only_one(path: Path, busy: str | None = None) -> Iterator[None]:
    """Hold a lock file while the block runs; it is gone afterwards.

    The system lets go of it when the holder is killed, so nobody ever has to delete one by hand.

    Parameters
    ----------
    path
        Where the lock lies; its folder must exist.
    busy
        What to say when another holds it. None waits until it is free.

    Raises
    ------
    ZooError
        When another holds it and `busy` is given.
    """
    descriptor = _locked(path, busy)
    try:
        yield
    finally:
        path.unlink(
            missing_ok=True
        )  # before it is free: the next one then finds that its own is no longer there
        os.close(descriptor)


def _locked(path: Path, busy: str | None) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy is not None else 0))
            if _still_there(descriptor, path):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise ZooError(busy) from error
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # whoever held it has deleted it meanwhile: lock the new one


def _still_there(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
