"""One table of an archive: a person's rows as they are given, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.archives import FRAMES, PICTURES
from tracker.store import belongings
from tracker.store.belongings import Kind
from tracker.workflows.portability.opening import LEFT_OUT, OPENED, OTHER_RATER, opener

Row = tuple[Any, ...]

_FILES = {"crops": (PICTURES, "png"), "frames": (FRAMES, "jpg")}
"""The tables of pictures: the folder and the ending of their files."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row as it is given."""

    name: str
    kind: Kind


class PersonalTable:
    """A table's rows of one person, as they are given: opened, and without what is of others.

    Parameters
    ----------
    access, unit
        The gate, and a reading unit: all formats hold the same rows.
    name
        The table.
    """

    def __init__(self, access: Access, unit: Unit, name: str) -> None:
        self._unit = unit
        self._table = next(t for t in belongings.personal_tables() if t.name == name)
        self._columns = [c for c in self._table.columns if (name, c.name) not in LEFT_OUT]
        self._key = self._columns.index(next(iter(self._table.primary_key.columns)))
        self._openers = {
            i: opener(access, unit, OPENED[name, c.name])
            for i, c in enumerate(self._columns)
            if (name, c.name) in OPENED
        }
        self.name = name
        self.fields = [
            field
            for c in self._columns
            for field in (
                [Field(n, _kind_of_opened(n)) for n in OPENED[name, c.name].names]
                if (name, c.name) in OPENED
                else [Field(c.name, belongings.kind_of(c))]
            )
        ]

    def count(self) -> int:
        """How many rows there are."""
        person = self._unit.person
        return belongings.count(
            self._unit.connection, self._table, person.id, person.subject, self._unit.horizons()
        )

    def each(self) -> Iterator[Row]:
        """Stream the rows in the order of their key, one value per field; pictures by their file's name."""
        for row, _ in self._opened():
            yield row

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """Stream the pictures, where this table holds any: the file's name, and its bytes."""
        if self.name in _FILES:
            for row, plain in self._opened():
                yield row[self._names().index("file")], plain

    def _names(self) -> list[str]:
        return [field.name for field in self.fields]

    def _opened(self) -> Iterator[tuple[Row, bytes]]:
        person = self._unit.person
        rows = belongings.rows(
            self._unit.connection,
            self._table,
            self._columns,
            person.id,
            person.subject,
            self._unit.horizons(),
        )
        names = self._names()
        rater = names.index("rater") if "rater" in names else None
        observation = next((i for i, c in enumerate(self._columns) if c.name == "observation"), 0)
        for stored in rows:
            values: list[Any] = []
            plain = b""
            for i, value in enumerate(stored):
                if (read := self._openers.get(i)) is None:
                    values.append(value)
                    continue
                found = read(value, stored[self._key])
                if self.name in _FILES:
                    plain = found[0]
                    folder, ending = _FILES[self.name]
                    found = (f"{folder}{stored[observation]}.{ending}",)
                values.extend(found)
            if rater is not None and values[rater] != "participant":
                values[rater] = OTHER_RATER
            yield tuple(values), plain


def _kind_of_opened(name: str) -> Kind:
    if name in ("grant", "position"):
        return Kind.INTEGER
    return Kind.JSON if name in ("notice", "row") else Kind.TEXT
