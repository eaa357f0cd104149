"""What can be wrong with a file of another program, and with what is asked for it."""

from __future__ import annotations

from collections.abc import Sequence


class ForeignFileError(ValueError):
    """A file cannot be read as its mapping says: names the place, the value and what to do. Nothing was stored."""


class AskedError(ValueError):
    """What is asked for does not fit: a target that the study has not, somebody who is enrolled and not declared."""


class EnrolledError(AskedError):
    """The file names people who are enrolled here, and nobody said that they are the same.

    Parameters
    ----------
    names
        Theirs.
    """

    def __init__(self, names: Sequence[str]) -> None:
        some = ", ".join(repr(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
        super().__init__(
            f"{some}: enrolled here already, and nobody says that they are the people of the file; nothing was "
            f"stored. If they are, say --existing {names[0]!r}; if not, give prefix in [participant] of the mapping"
        )
        self.names = tuple(names)


class Refused(Exception):  # noqa: N818 - it ends a row, not the program
    """One row is not taken in.

    Parameters
    ----------
    reason
        One of a few, by which rows are counted.
    column, value
        Where, and what stands there.
    """

    def __init__(self, reason: str, column: str = "", value: str = "") -> None:
        super().__init__(reason)
        self.reason, self.column, self.value = reason, column, value
