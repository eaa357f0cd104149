"""What can go wrong with an export, in words for the person who asked for it."""

from __future__ import annotations

from tracker.domain.consent import ConsentError


class ExportError(ValueError):
    """An export cannot be made as asked."""


class UnknownExportError(LookupError):
    """No export of this id is registered here."""

    def __init__(self, export: str) -> None:
        super().__init__(
            f"no export {export!r} was made here; the id stands in the manifest.json of each export"
        )


class WithdrawnError(ConsentError):
    """An export cannot be repeated, because people in it have withdrawn since.

    Parameters
    ----------
    export
        Its id.
    people
        How many; who they are is nobody's business.
    """

    def __init__(self, export: str, people: int) -> None:
        who = "1 participant" if people == 1 else f"{people} participants"
        super().__init__(
            f"export {export} cannot be repeated: {who} in it withdrew since. "
            "Make a new one, without --again; it leaves out what was withdrawn"
        )


class NothingToExportError(ConsentError):
    """Nobody's consent allows a single row."""
