"""A CSV file, record by record: its bytes are hashed, its lines counted, and any record can be read again."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tracker.domain.texts import unkeepable
from tracker.workflows.foreign.errors import ForeignFileError
from tracker.workflows.foreign.mapping import Column, MappingFile

LONGEST_LINE = 1 << 20
"""No line has more bytes: a thousand columns take a tenth of this."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes
    ----------
    line
        On which line it begins, the header's is 1.
    offset
        At which byte.
    fields
        Its values, without blanks around them.
    """

    line: int
    offset: int
    fields: tuple[str, ...]


class Source:
    """A CSV file as its mapping says that it is written; never held in memory.

    Parameters
    ----------
    path
        Where it is.
    mapping
        How it is written.

    Raises
    ------
    ForeignFileError
        When it cannot be read, or its header lacks what the mapping names.

    Attributes
    ----------
    header
        Its columns.
    bytes
        How long it is.
    """

    def __init__(self, path: Path, mapping: MappingFile) -> None:
        self.path, self.name, self._mapping = path, path.name, mapping
        self._delimiter = "\t" if mapping.delimiter == "tab" else mapping.delimiter
        try:
            self._file: BinaryIO = path.open("rb")
            self.bytes = path.stat().st_size
        except OSError as error:
            raise ForeignFileError(f"{path} cannot be read: {error.strerror}") from None
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _begin(self) -> None:
        begins = self._file.read(4)
        if begins.startswith(_UTF16):
            raise ForeignFileError(f"{self.name}, line 1: this is UTF-16; save it as UTF-8")
        self._first = len(codecs.BOM_UTF8) if begins.startswith(codecs.BOM_UTF8) else 0
        header = next(self._records(self._first, 1), None)
        if header is None:
            raise ForeignFileError(f"{self.name} is empty; there is no header")
        self.header = header.fields
        self._body = self._file.tell()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def sha256(self) -> str:
        """The hash of its bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def place(self, column: Column) -> int:
        """Where a column stands, from 0 on.

        Raises
        ------
        ForeignFileError
            When it is not there, or there twice.
        """
        if isinstance(column, int):
            if column > len(self.header):
                raise ForeignFileError(
                    f"{self.name}, line 1: there is no column {column}, only {len(self.header)}"
                )
            return column - 1
        found = [n for n, name in enumerate(self.header) if name == column]
        if len(found) > 1:
            places = " and ".join(str(n + 1) for n in found)
            raise ForeignFileError(
                f"{self.name}, line 1: {column!r} heads columns {places}; say in the mapping which one by its number"
            )
        if not found:
            raise ForeignFileError(f"{self.name}, line 1: there is no column {column!r}; {self._guess()}")
        return found[0]

    def twice(self) -> tuple[str, ...]:
        """Names that head more than one column."""
        return tuple(name for name, n in Counter(self.header).items() if n > 1)

    def records(self) -> Iterator[Record]:
        """Every record after the header, in order."""
        second = self._lines_of_header() + 1
        return self._records(self._body, second)

    def at(self, offset: int, line: int) -> Record:
        """The record that begins at a byte, read again."""
        found = next(self._records(offset, line), None)
        if found is None:
            raise ForeignFileError(f"{self.name}, line {line}: the file has changed while it was read")
        return found

    def _lines_of_header(self) -> int:
        self._file.seek(self._first)
        return self._file.read(self._body - self._first).count(b"\n") or 1

    def _records(self, offset: int, line: int) -> Iterator[Record]:
        lines = _Lines(self._file, offset, line, self._mapping.encoding, self.name)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            lines.begin()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise ForeignFileError(f"{self.name}, line {lines.first}: this is no CSV: {error}") from None
            if not fields:  # an empty line
                continue
            record = Record(lines.first, lines.offset, tuple(field.strip() for field in fields))
            self._file.seek(lines.next)  # where whoever takes a record stopped reading does not matter
            yield record
            lines.go_on()

    def _guess(self) -> str:
        [alone] = self.header if len(self.header) == 1 else [""]
        other = max(_DELIMITERS, key=alone.count)
        if alone.count(other):
            sign = "tab" if other == "\t" else other
            return (
                f"its columns look divided by {_DELIMITERS[other]}; say delimiter = {sign!r} in the mapping"
            )
        some = ", ".join(map(shown, self.header[:8])) + (", …" if len(self.header) > 8 else "")
        return f"there are: {some}"


class _Lines:
    """Decoded lines for `csv`, which takes as many as a record has; knows where each began."""

    def __init__(self, file: BinaryIO, offset: int, line: int, encoding: str, name: str) -> None:
        self._file, self._encoding, self._name = file, encoding, name
        self.next, self._line = offset, line
        self.offset, self.first = offset, line
        self.go_on()

    def begin(self) -> None:
        """A record begins here."""
        self.offset, self.first = self.next, self._line

    def go_on(self) -> None:
        """Others may have read elsewhere meanwhile."""
        if self._file.tell() != self.next:
            self._file.seek(self.next)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LONGEST_LINE)
        if not raw:
            raise StopIteration
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            raise ForeignFileError(
                f"{self._name}, line {self._line}: it has more than {LONGEST_LINE:,} bytes; this is no CSV"
            )
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            raise ForeignFileError(
                f"{self._name}, line {self._line}: byte 0x{raw[error.start]:02x} is no {self._encoding}"
                f"{_column_of(raw, error.start)}; save the whole file as UTF-8, or say encoding in the mapping "
                "if all of it is written so"
            ) from None
        if found := unkeepable(text):
            raise ForeignFileError(f"{self._name}, line {self._line}: it holds {found}, which no text has")
        self.next += len(raw)
        self._line += 1
        return text


def _column_of(raw: bytes, at: int) -> str:
    before = raw[:at]
    sign = max((b",", b";", b"\t", b"|"), key=before.count)
    return f" (column {before.count(sign) + 1})" if before.count(sign) else ""


def shown(name: str) -> str:
    """A column's name for a terminal: what would move its cursor is written out.

    Examples
    --------
    >>> shown("stress"), shown("a\\x1b[2J")
    ('stress', "'a\\\\x1b[2J'")
    """
    return name if name.isprintable() else repr(name)


def columns_of(source: Source, columns: Sequence[Column]) -> dict[Column, int]:
    """Where each of some columns stands; raise `ForeignFileError` as `Source.place`."""
    return {column: source.place(column) for column in columns}
