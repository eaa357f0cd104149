"""Pins: the hash by which a file is known, whoever serves it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

Kind = Literal["sha256", "git-blob"]

_DIGITS: dict[Kind, int] = {"sha256": 64, "git-blob": 40}
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Pin:
    """A hash that a file must have.

    Parameters
    ----------
    kind
        ``"sha256"``, or ``"git-blob"`` where a repository names a file only by what git calls it: SHA-1 of
        ``blob SIZE``, a zero byte and the content. SHA-1 keeps out damage and ordinary mistakes; whoever
        made a file may have made a second one with the same id, so it is the weaker of the two.
    digits
        Hexadecimal, in lower case.

    Examples
    --------
    >>> Pin("git-blob", "ce013625030ba8dba906f756967f9e9ca394464a").fits(b"hello\\n")
    True
    """

    kind: Kind
    digits: str

    def __post_init__(self) -> None:
        length = _DIGITS[self.kind]
        if len(self.digits) != length or set(self.digits) - set("0123456789abcdef"):
            raise ValueError(f"{self.kind} {self.digits!r} is not {length} hexadecimal digits in lower case")

    def __str__(self) -> str:
        return f"{self.kind} {self.digits}"

    @property
    def weaker(self) -> bool:
        """Whether somebody who made the file could have made another with the same pin."""
        return self.kind != "sha256"

    def fits(self, data: bytes) -> bool:
        """Whether bytes are the file that is meant."""
        return self.of_bytes(data) == self.digits

    def of_bytes(self, data: bytes) -> str:
        """The digits that these bytes have, in this pin's kind."""
        start = _start(self.kind, len(data))
        start.update(data)
        return start.hexdigest()

    def of_file(self, path: Path) -> str:
        """The digits that a file has, in this pin's kind; it is read in pieces."""
        with path.open("rb") as file:
            return self._of(file)

    def _of(self, file: BinaryIO) -> str:
        state = _start(self.kind, os.fstat(file.fileno()).st_size)
        while piece := file.read(_PIECE):
            state.update(piece)
        return state.hexdigest()


def _start(kind: Kind, size: int) -> hashlib._Hash:
    if kind == "sha256":
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
