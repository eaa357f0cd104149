"""A CSV file as rows and columns of text, every row with its number as a spreadsheet shows it."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker.lab.challenge.diaries import ReadingError

MISSING = frozenset({"", "NA", "NaN", "nan"})
"""Cells that say nothing."""

NUMBERS_FROM = 0.9
"""A column with at least this share of numbers is one of numbers: text in it is a mistake."""

_MOST = 100_000  # days or beeps of a day: beyond, it is another kind of number


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number (the header is 1) and its cells by column, without those that are missing."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's columns and rows, in the file's order."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def error(self, row: Row, column: str, what: str) -> ReadingError:
        """Say what is wrong with one cell."""
        return ReadingError(f"{self.path}, row {row.number}, column {column!r}: {what}")

    def is_numeric(self, column: str) -> bool:
        """Say whether a column holds numbers; a column of which nine tenths are numbers must hold no text.

        Raises
        ------
        ReadingError
            For text in a column that is otherwise numeric.
        """
        kinds = [(row, number_of(row.cells[column]) is not None) for row in self.rows if column in row.cells]
        share = sum(numeric for _, numeric in kinds) / len(kinds) if kinds else 1.0
        if NUMBERS_FROM <= share < 1.0:
            row = next(row for row, numeric in kinds if not numeric)
            raise self.error(
                row,
                column,
                f"{row.cells[column]!r} is text in a column of numbers; correct it, leave it empty, or name the "
                f"column in --exclude",
            )
        return share == 1.0

    def number(self, row: Row, column: str) -> float:
        """Read one cell as a finite number."""
        value = number_of(row.cells[column])
        if value is None:
            raise self.error(row, column, f"{row.cells[column]!r} is no number")
        if not math.isfinite(value):
            kind = "no number" if math.isnan(value) else "infinite"
            raise self.error(row, column, f"{row.cells[column]!r} is {kind}; leave empty what is missing")
        return value

    def count(self, row: Row, column: str, least: int) -> int:
        """Read one cell as a whole number."""
        value = self.number(row, column)
        if value != int(value) or not least <= value <= _MOST:
            raise self.error(row, column, f"{row.cells[column]!r} is no whole number from {least} to {_MOST}")
        return int(value)


def number_of(text: str) -> float | None:
    """Read a number, or None for text.

    Examples
    --------
    >>> number_of("4.5"), number_of("1_000"), number_of("home")
    (4.5, None, None)
    """
    if "_" in text:  # Python's own spelling; a code such as 1_2 is a name
        return None
    try:
        return float(text)
    except ValueError:
        return None


def read_sheet(path: Path) -> Sheet:
    """Read a CSV with a header, in UTF-8 (with or without a byte order mark), separated by commas.

    Cells lose the space around them, names of columns that within too. Missing are an empty cell, NA and NaN. Blank
    rows and columns without a name are passed over.

    Raises
    ------
    ReadingError
        For a file that is missing, empty, in another encoding, or not of one width.
    """
    records = _records(path)
    _, header = next(records, (1, []))
    columns = tuple(" ".join(name.split()) for name in header)
    _check_header(path, columns)
    rows: list[Row] = []
    for number, cells in records:
        if len(cells) != len(columns):
            raise ReadingError(
                f"{path}, row {number}: {len(cells)} cells under a header of {len(columns)} columns; "
                f"a text that holds a comma stands in quotes"
            )
        stripped = zip(columns, (cell.strip() for cell in cells), strict=True)
        rows.append(Row(number, {name: cell for name, cell in stripped if name and cell not in MISSING}))
    if not rows:
        raise ReadingError(f"{path} has a header and no rows")
    return Sheet(path, tuple(name for name in columns if name), tuple(rows))


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    if not any(columns):
        raise ReadingError(f"{path} is empty; its first row names the columns")
    twice = [name for name, count in Counter(columns).items() if count > 1 and name]
    if twice:
        raise ReadingError(f"{path}, row 1: column {twice[0]!r} stands there more than once; rename one")
    if "participant" in columns:
        return
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if separator in ",".join(columns):
            raise ReadingError(f"{path} is separated by {word}; save it as CSV separated by commas")
    raise ReadingError(f"{path} has no column 'participant'; it has: {', '.join(filter(None, columns))}")


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, numbered as a spreadsheet numbers them."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise ReadingError(f"{path}, row {number + 1}: no CSV ({error})") from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ReadingError(f"{path} does not exist") from None
    except OSError as error:
        raise ReadingError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReadingError(
            f"{path} is not in UTF-8: byte {error.start + 1} is 0x{content[error.start]:02x}; save it as UTF-8"
        ) from None
