"""On which line of a TOML text a key stands: the parser of the standard library forgets it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TABLE = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_QUOTES = re.compile(r'"""|' + "'''")


def line_of(text: str, place: Sequence[str | int]) -> int | None:
    """The line of a key, else of the nearest table around it; None where not even that is found.

    Parameters
    ----------
    text
        A TOML document that parses.
    place
        Keys and positions, from the outside in.

    Examples
    --------
    >>> text = 'id = "a"\\n[retention]\\nnotes = 3\\n[[purposes]]\\ntext = "b"\\n'
    >>> line_of(text, ("retention", "notes")), line_of(text, ("purposes", 0, "text")), line_of(text, ("title",))
    (3, 5, None)
    """
    lines = _lines(text)
    wanted = tuple(place)
    while wanted:
        if wanted in lines:
            return lines[wanted]
        wanted = wanted[:-1]
    return None


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    found: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        before = inside
        for quote in _QUOTES.findall(line):
            inside = quote if inside is None else None if inside == quote else inside
        if before is not None:
            continue  # within a text of several lines nothing is a key
        if header := _TABLE.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def _parts(dotted: str) -> tuple[str | int, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
