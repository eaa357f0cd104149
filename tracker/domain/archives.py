"""What an archive of one person's data is, to who writes one and to who reads one."""

from __future__ import annotations

FORMAT = "affect-tracker archive"

VERSION = 1
"""Of the archive's form: it changes with any field of a table that is taken in."""

MANIFEST = "archive.json"
"""The list of everything else, with sizes and hashes."""

PAGE = "index.html"
PICTURES = "pictures/"
FRAMES = "frames/"
"""Where the pictures of `crops` lie, and those of `frames`."""


def data(table: str, ending: str = "json") -> str:
    """The file of a table.

    Examples
    --------
    >>> data("notes"), data("notes", "csv")
    ('data/notes.json', 'data/notes.csv')
    """
    return f"data/{table}.{ending}"
