"""How far an export has come, kept beside its files so that a run that was cut short can be gone on with.

It names nobody: people stand in it under the export's own pseudonyms. It goes before the folder gets its name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.store.types import from_microseconds, to_microseconds
from tracker.workflows.export.hashed import Written, hashed

NAME = ".journal.jsonl"


@dataclass(frozen=True, slots=True)
class Begun:
    """What an export is: enough to plan it as it was planned.

    Attributes
    ----------
    export, at, created_at, seq, marks
        As in `tracker.workflows.export.planning.Plan`.
    erasures
        What tells whether anything was erased since.
    asked
        A keyed digest of everything that was asked for.
    """

    export: str
    at: datetime
    created_at: datetime
    seq: int
    marks: Mapping[str, int]
    erasures: str
    asked: str


def digest(key: bytes, told: object) -> str:
    """A keyed digest of something, by its JSON.

    Examples
    --------
    >>> digest(b"key", {"k": 5}) == digest(b"key", {"k": 5}) != digest(b"another", {"k": 5})
    True
    """
    said = json.dumps(told, sort_keys=True, default=str).encode()
    return hmac.new(key, said, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Done:
    """A participant whose rows are written.

    Attributes
    ----------
    pseudonym, starts
        Who, and a keyed digest of what of them was exported.
    state
        Where the tables stood then.
    person
        What the table `participants` tells of them, and how many rows were left out of each table, by reason.
    parts
        The files that hold their rows alone.
    """

    pseudonym: str
    starts: str
    state: dict[str, Any]
    person: dict[str, Any]
    excluded: tuple[tuple[str, str, int], ...]
    parts: tuple[Written, ...]


class Journal:
    """The journal in an export's folder.

    Parameters
    ----------
    folder
        The folder that is written into.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def begin(self, begun: Begun) -> None:
        """Write the first line."""
        told = asdict(begun) | {n: to_microseconds(getattr(begun, n)) for n in ("at", "created_at")}
        self._append(told)

    def add(self, done: Done) -> None:
        """Note that a participant is done."""
        self._append(asdict(done))

    def remove(self) -> None:
        """The export is finished."""
        self._path.unlink()

    def read(self) -> tuple[Begun, list[Done]] | None:
        """What was noted; None where nothing that could be gone on with."""
        lines = []
        with suppress(OSError, ValueError):
            for line in self._path.read_text("utf-8").splitlines(keepends=True):
                if not line.endswith("\n"):
                    break  # the last one, cut short
                lines.append(json.loads(line))
        if not lines:
            return None
        with suppress(KeyError, TypeError, ValueError):
            head = {n: from_microseconds(lines[0][n]) for n in ("at", "created_at")}
            return Begun(**{**lines[0], **head}), [_done(line) for line in lines[1:]]
        return None

    def whole(self, done: list[Done]) -> list[Done]:
        """Those up to the first whose files are not as they were written."""
        for i, one in enumerate(done):
            if any(hashed(self._path.parent, part.name) != part for part in one.parts):
                return done[:i]
        if done and any(self._size(name) < size for name, size in _texts(done[-1].state)):
            return []
        return done

    def keep(self, done: list[Done]) -> None:
        """Forget all that was noted after these."""
        lines = self._path.read_text("utf-8").splitlines(keepends=True)[: 1 + len(done)]
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.write_text("".join(lines), "utf-8")
        fresh.replace(self._path)

    def _size(self, name: str) -> int:
        path = self._path.with_name(name)
        return path.stat().st_size if path.is_file() else -1

    def _append(self, told: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _texts(state: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The files that hold everybody's rows, and how far they have come."""
    return [(f"{name}.csv", left["csv"]) for name, left in state["writers"].items() if left["csv"]]


def _done(line: Mapping[str, Any]) -> Done:
    return Done(
        line["pseudonym"],
        line["starts"],
        line["state"],
        line["person"],
        tuple((table, why, n) for table, why, n in line["excluded"]),
        tuple(Written(**part) for part in line["parts"]),
    )
