"""How a column and a table of a dataset are declared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds, named as in the Data Package standard."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Parameters
    ----------
    name, kind
        As in the files.
    meaning
        One sentence for somebody who has only the dataset.
    unit
        Unit of measurement; empty where there is none.
    levels
        All values it can have, where they are few.
    missing
        What an empty cell means; empty where no cell may be empty.
    bounds
        Least and greatest value, where there are such.
    key
        Whether it numbers or names things, so that a distribution would say nothing.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    missing: str = ""
    bounds: tuple[float, float] | None = None
    key: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Parameters
    ----------
    name, meaning
        File name without its ending, and what a row is.
    columns
        In the order of the files.
    primary_key
        Columns that together name a row.
    references
        Columns that point to another table: (column, table, column there).
    scopes
        What a participant has granted for a row to be here, beside `export_pseudonymous`.
    moment
        The instant whose month (UTC) parts its Parquet files; empty where the table is one file.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    references: tuple[tuple[str, str, str], ...]
    scopes: str
    moment: str = ""

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(c for c in self.columns if c.name == name)
