"""A document with the line on which each of its keys and elements stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEEPEST = 16
"""How deep a study file may be nested; a whole one needs six."""

Place = tuple[str | int, ...]
"""Keys and positions, from the outside in."""


class WrittenError(ValueError):
    """A text is no document of its format, or one that cannot be told apart from another.

    Parameters
    ----------
    line
        Where, from 1 on.
    message
        What is wrong, and what to do.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Written:
    """What a text says, and where.

    Attributes
    ----------
    said
        The document: mappings, lists, texts, numbers, booleans and None.
    lines
        On which line each key and each element begins.
    """

    said: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Sequence[str | int]) -> int:
        """The line of a key, else of what is nearest around it; of what stands nowhere the first.

        Examples
        --------
        >>> found = Written({"a": {"b": 1}}, {("a",): 3, ("a", "b"): 4})
        >>> found.line(("a", "b")), found.line(("a", "c")), found.line(("title",))
        (4, 3, 1)
        """
        wanted = tuple(place)
        while wanted and wanted not in self.lines:
            wanted = wanted[:-1]
        return self.lines.get(wanted, 1)


def line_at(text: str, index: int) -> int:
    """The line of a character; of one behind the last the last.

    Examples
    --------
    >>> line_at("a\\nb\\n", 0), line_at("a\\nb\\n", 2), line_at("a\\nb\\n", 9), line_at("", 0)
    (1, 2, 2, 1)
    """
    return min(text.count("\n", 0, max(index, 0)) + 1, lines_of(text))


def lines_of(text: str) -> int:
    """How many lines a text has; one at least."""
    return max(1, text.count("\n") + (not text.endswith("\n")))
