"""A file that is hashed while it is written, and can be gone on with where it was left."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it lies on the disk; its name is its path inside the dataset."""

    name: str
    size: int
    sha256: str


class HashedFile:
    """A binary file that is hashed while it is written.

    Parameters
    ----------
    folder, name
        Where it is made; folders on the way to it are made too.
    keep
        How many bytes of what lies there already are kept and gone on after; 0 for a new file.
    """

    def __init__(self, folder: Path, name: str, keep: int = 0) -> None:
        self._name = name
        path = folder / name
        self._digest = hashlib.sha256()
        self._size = 0
        self._file: BinaryIO
        if keep:
            self._file = path.open("r+b")
            self._file.truncate(keep)
            while chunk := self._file.read(_CHUNK):
                self._digest.update(chunk)
            self._size = keep
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        self._abandoned = False
        self.closed = False

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._size

    def write(self, data: Any) -> int:
        """Write bytes-like data."""
        if self._abandoned:
            return len(data)
        self._digest.update(data)
        self._size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if not self._abandoned:
            self._file.flush()

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, once it is on the disk."""
        if not (self.closed or self._abandoned):
            self.closed = True
            self.sync()
            self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; what a writer still says at its own end goes nowhere."""
        self._abandoned = True
        with suppress(OSError):  # on a full disk the last bytes do not fit even now
            self._file.close()

    def written(self) -> Written:
        """What was written; closes the file."""
        self.close()
        return Written(self._name, self._size, self._digest.hexdigest())


def hashed(folder: Path, name: str) -> Written | None:
    """A file that lies there already; None where none does."""
    try:
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Written(name, file.tell(), digest)
    except FileNotFoundError:
        return None
