"""What an import found and did, in figures that the page, the terminal and a program read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SHOWN = 10
"""Lines named for each reason."""

KINDS = ("observations", "estimates", "corrections", "contexts")


@dataclass(slots=True)
class Reason:
    """Why rows were refused, how many, on which lines the first of them stand, and what the first one says."""

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    column: str = ""
    value: str = ""

    def add(self, line: int, column: str = "", value: str = "") -> None:
        """Count one more row."""
        if not self.lines or line < self.lines[0]:
            self.column, self.value = column, value[:60]
        self.rows += 1
        self.lines = sorted({*self.lines, line})[:SHOWN]


@dataclass(slots=True)
class Report:
    """What an import found in a file, and what it stored or would store.

    Attributes
    ----------
    file, sha256
        The file.
    rows
        Records read.
    silent
        Those that say nothing in any column that is taken: missed prompts, for example.
    repeated
        Those that say again what another says.
    refused
        By reason.
    people
        Rows that are taken, by name.
    new, there
        By table: what was (in a dry run: would be) stored, and what was stored before.
    left
        People of whom nothing is taken, and why.
    not_taken
        Columns that nothing is taken from.
    unread
        Emotions that the network does not know.
    first, last
        The range of time.
    moved
        When the clocks of a zone were moved in that time: (zone, instant, by how much).
    twice
        Rows whose local time was twice, and which of both was taken.
    learned
        Corrections that learners learned.
    """

    file: str
    sha256: str = ""
    dry: bool = True
    rows: int = 0
    silent: int = 0
    repeated: int = 0
    refused: dict[str, Reason] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    new: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)
    enrolled: list[str] = field(default_factory=list)
    not_taken: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None
    moved: list[tuple[str, datetime, str]] = field(default_factory=list)
    twice: int = 0
    twice_taken: str = "first"
    learned: int = 0

    def refuse(self, reason: str, line: int, column: str = "", value: str = "") -> None:
        """Count a row that is not taken in."""
        self.refused.setdefault(reason, Reason()).add(line, column, value)

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "dry_run": self.dry,
            "rows": self.rows,
            "silent": self.silent,
            "repeated": self.repeated,
            "refused": {
                reason: {"rows": why.rows, "lines": why.lines, "column": why.column, "value": why.value}
                for reason, why in sorted(self.refused.items())
            },
            "people": dict(sorted(self.people.items())),
            "enrolled": sorted(self.enrolled),
            "left": dict(sorted(self.left.items())),
            "new": {kind: self.new[kind] for kind in KINDS},
            "there": {kind: self.there[kind] for kind in KINDS},
            "learned": self.learned,
            "not_taken": self.not_taken,
            "unread": self.unread,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "clocks_moved": [[zone, at.isoformat(), by] for zone, at, by in self.moved],
            "ambiguous": {"rows": self.twice, "taken": self.twice_taken},
        }
