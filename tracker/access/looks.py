"""Who of the staff looked at whom: an event of its own for each look, written before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """One look of somebody of the staff at one person's data.

    Parameters
    ----------
    seq
        Position in the log of looks.
    at
        When (UTC).
    reader
        Who looked, as the installation knows them.
    what
        At what: the command, the page, the export.
    """

    seq: int
    at: datetime
    reader: str
    what: str

    def fields(self) -> dict[str, Any]:
        """What is sealed of it."""
        return {"reader": self.reader, "what": self.what}

    def committed(self, participant: str) -> dict[str, str]:
        """What the log of looks commits to."""
        return {
            "participant": participant,
            "at": self.at.isoformat(),
            "reader": self.reader,
            "what": self.what,
        }


def look_of(fields: Mapping[str, Any], seq: int, at: datetime) -> Look:
    """The look that was sealed."""
    return Look(seq, at, fields["reader"], fields["what"])
