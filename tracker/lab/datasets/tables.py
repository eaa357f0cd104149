"""CSV files with a header, row by row, with the number of the line for messages."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tracker.lab.datasets.errors import DatasetError


def rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's line number and cells.

    Parameters
    ----------
    path
        A CSV file in UTF-8.
    columns
        Those that must be there; others may be.

    Raises
    ------
    DatasetError
        When the file is no CSV, lacks a column or is cut off.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if lacking := [c for c in columns if c not in (reader.fieldnames or ())]:
                raise DatasetError(f"{path} has no column {lacking[0]!r}; is it the official file?")
            for number, row in enumerate(reader, start=2):
                if any(row[c] is None for c in columns):
                    raise DatasetError(f"{path}, line {number}: cut off; the file is truncated")
                yield number, row
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is no CSV file: {error}") from error
