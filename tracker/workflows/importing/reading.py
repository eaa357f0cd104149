"""Read an archive without trusting it: nothing is unpacked to a disk, and nothing is larger than it says.

Every file that is read is compared with the size and the SHA-256 that the archive's own list gives. That finds
damage and half-made files; it proves nothing about who made them, so what rows say is checked beside it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tracker.domain.archives import FORMAT, FRAMES, MANIFEST, PICTURES, VERSION, data
from tracker.workflows.importing.errors import ArchiveError
from tracker.workflows.importing.shape import FATES, LATER, Fate, tables_of

LARGEST = 16 * 1024**3
"""Bytes that an archive may unfold to: a year of a camera's crops, and several of estimates."""

LARGEST_LIST = 256 * 1024**2
"""Bytes of the list of files, which is held in memory."""

LONGEST_LINE = 8 * 1024**2
"""Bytes of one row: the parameters of a learner are the longest."""

LARGEST_PICTURE = 8 * 1024**2
"""Bytes of one picture."""

STEEPEST = 400
"""How many times its size a file may unfold to: rows of numbers reach 50, a bomb 1,000."""

_SMALL = 1024**2
_BLOCK = 256 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


@dataclass(frozen=True)
class Archive:
    """An archive that was opened, and whose list of files was found sound.

    Attributes
    ----------
    zone, simulated
        The person's time zone, and whether they are SIMULATED.
    counts
        Rows by table.
    """

    zone: str
    simulated: bool
    counts: Mapping[str, int]
    _zip: zipfile.ZipFile
    _files: Mapping[str, Mapping[str, Any]]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Stream the rows of a table.

        Raises
        ------
        ArchiveError
            When the file is not what the list says, at the latest after its last row.
        """
        name = data(table)
        if table in LATER and name not in self._files:
            return
        n = 0
        for i, line in enumerate(self._lines(name)):
            text = line.strip().rstrip(b",")
            if (i == 0 and text == b"[") or text in (b"", b"]", b"[]"):
                continue
            try:
                row = json.loads(text)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise ArchiveError(f"{name} holds no row in line {i + 1}; it was not made by this program")
            n += 1
            yield row
        if n != self.counts[table]:
            raise ArchiveError(
                f"{name} holds {n:,} rows, not the {self.counts[table]:,} that the archive lists"
            )

    def picture(self, name: str) -> bytes:
        """The bytes of a picture."""
        if not name.startswith((PICTURES, FRAMES)) or name not in self._files:
            raise ArchiveError(f"the archive lists no picture {name!r}; it is not whole, make it anew")
        if self._files[name]["bytes"] > LARGEST_PICTURE:
            raise ArchiveError(f"{name} is larger than {LARGEST_PICTURE:,} bytes; no picture of ours is")
        return b"".join(self._blocks(name))

    def _lines(self, name: str) -> Iterator[bytes]:
        waiting = b""
        for block in self._blocks(name):
            *lines, waiting = (waiting + block).split(b"\n")
            yield from lines
            if len(waiting) > LONGEST_LINE:
                raise ArchiveError(
                    f"{name} has a line of more than {LONGEST_LINE:,} bytes; no row of ours has"
                )
        yield waiting

    def _blocks(self, name: str) -> Iterator[bytes]:
        listed = self._files[name]
        digest, size = hashlib.sha256(), 0
        with _sound(name), self._zip.open(name) as file:
            while block := _read(file, name):
                digest.update(block)
                size += len(block)
                if size > listed["bytes"]:
                    break
                yield block
        if size != listed["bytes"] or digest.hexdigest() != listed["sha256"]:
            raise ArchiveError(f"{name} is not as it was written: damaged or altered; make the archive anew")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive and check what it lists.

    Raises
    ------
    ArchiveError
        When the file is missing, is none, was cut off, is of a newer version, or holds what no archive of this
        program holds.
    """
    try:
        file = zipfile.ZipFile(path)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise ArchiveError(
            f"{path} is no zip file, or was cut off; give the file that was downloaded, or download it again"
        ) from None
    with file:
        _check_entries(file, path)
        listed = _list_of(file, path)
        yield Archive(
            _field(listed, "zone", str),
            _field(listed, "simulated", bool),
            {table: _field(told, "rows", int) for table, told in listed["tables"].items()},
            file,
            listed["files"],
        )


def _read(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read(_BLOCK)
    except _DAMAGED:
        raise ArchiveError(f"{name} cannot be unpacked: the archive is damaged; make it anew") from None


@contextmanager
def _sound(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
        raise ArchiveError(f"{name} cannot be unpacked: the archive is damaged; make it anew") from None


def _check_entries(file: zipfile.ZipFile, path: Path) -> None:
    whole = 0
    seen: set[str] = set()
    for entry in file.infolist():
        name = entry.filename
        if name in seen:
            raise ArchiveError(f"{path} holds {name!r} twice; it was not made by this program")
        seen.add(name)
        if entry.flag_bits & 1:
            raise ArchiveError(f"{path} is encrypted; unpack it, and give the archive inside")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(
                f"{name!r} is packed in a way that this program does not use; nothing was read"
            )
        whole += entry.file_size
        if entry.file_size > _SMALL and entry.file_size > STEEPEST * max(entry.compress_size, 1):
            raise ArchiveError(
                f"{name!r} would unfold from {entry.compress_size:,} bytes to {entry.file_size:,}; nothing was read"
            )
    if whole > LARGEST:
        raise ArchiveError(f"{path} would unfold to {whole:,} bytes, more than {LARGEST:,}; nothing was read")


def _list_of(file: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        entry = file.getinfo(MANIFEST)
    except KeyError:
        raise ArchiveError(
            f"{path} holds no {MANIFEST}: it is no archive of affect-tracker; make one on the page My data, "
            "or with: affect-tracker archive"
        ) from None
    if entry.file_size > LARGEST_LIST:
        raise ArchiveError(f"{MANIFEST} is larger than {LARGEST_LIST:,} bytes; nothing was read")
    with _sound(MANIFEST), file.open(entry) as opened:
        text = b"".join(iter(lambda: _read(opened, MANIFEST), b""))
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if not isinstance(listed, dict) or listed.get("format") != FORMAT:
        raise ArchiveError(f"{path} is no archive of affect-tracker: {MANIFEST} is of something else")
    version = listed.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version > VERSION:
        raise ArchiveError(
            f"{path} is of version {version}, and this program reads up to {VERSION}; update affect-tracker"
        )
    _check_list(listed, {entry.filename for entry in file.infolist()}, path)
    return listed


def _check_list(listed: dict[str, Any], inside: set[str], path: Path) -> None:
    tables, files = _field(listed, "tables", dict), _field(listed, "files", dict)
    for name, told in files.items():
        _field(told, "bytes", int)
        _field(told, "sha256", str)
        if name not in inside:
            raise ArchiveError(f"{path} lacks {name}, which it lists: it is not whole; make it anew")
    # Nothing is ever unpacked by its name; a name that leads elsewhere is no file of ours all the same.
    if foreign := sorted(inside - files.keys() - {MANIFEST}):
        raise ArchiveError(
            f"{path} holds {foreign[0]!r}, which it does not list; it was not made by this program"
        )
    for table, told in tables.items():
        if table not in FATES:
            raise ArchiveError(f"{path} holds a table {table!r} that this program does not know; update it")
        _field(told, "rows", int)
    for table in (*tables_of(Fate.STORED), *tables_of(Fate.HISTORY), "participants"):
        if table not in LATER and (table not in tables or data(table) not in files):
            raise ArchiveError(f"{path} lacks the table {table}: it is not whole; make it anew")


def _field(told: Any, name: str, kind: Callable[..., Any]) -> Any:
    value = told.get(name) if isinstance(told, dict) else None
    assert isinstance(kind, type)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ArchiveError(f"{MANIFEST} says nothing usable of {name!r}; it was not made by this program")
    return value
