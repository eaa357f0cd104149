"""The files inside an archive, streamed into a zip and hashed on the way."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

_LARGE = 1_000_000
"""Rows from which on a file may pass the 2 GiB that a plain zip entry holds."""


class Sink:
    """A file that cannot be wound back, and gives what was written to it since it was last asked."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        """Keep bytes until they are taken."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is nothing below."""

    def close(self) -> None:
        """Do nothing: what was written can be taken still."""

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class Hashed:
    """An entry that is hashed and measured while it is written; closing it does not close what is below."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write bytes-like data."""
        self._digest.update(data)
        self.size += memoryview(data).nbytes
        self._file.write(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing: the zip below has its own buffers."""

    def close(self) -> None:
        """Say that nothing follows."""
        self.closed = True

    def writable(self) -> bool:
        """Whether it can be written: always."""
        return True

    def readable(self) -> bool:
        """Whether it can be read: never."""
        return False

    def seekable(self) -> bool:
        """Whether it can be wound back: never."""
        return False

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far, in hex."""
        return self._digest.hexdigest()


class Entries:
    """Writes the files of an archive, and keeps the size and SHA-256 of each.

    Parameters
    ----------
    out
        Where the zip goes.
    now
        The time that every file carries (UTC).
    """

    def __init__(self, out: Sink, now: datetime) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self._time = now.timetuple()[:6]
        self.written: dict[str, dict[str, Any]] = {}

    @contextmanager
    def file(self, name: str, rows: int = 0, *, packed: bool = False) -> Iterator[Hashed]:
        """Open one file for writing.

        Parameters
        ----------
        name
            Its path in the archive.
        rows
            How many rows it will hold.
        packed
            Whether what is written is compressed already.
        """
        entry = zipfile.ZipInfo(name, date_time=self._time)
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16  # unpacked, it is for its owner's eyes only
        with self._zip.open(entry, "w", force_zip64=rows >= _LARGE) as raw:
            file = Hashed(raw)
            yield file
        self.written[name] = {"bytes": file.size, "sha256": file.sha256}

    def close(self) -> None:
        """Write the zip's directory; without it the archive does not open."""
        self._zip.close()
