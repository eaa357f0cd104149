"""One cell of the matrix: a network on a data set; kept as soon as it is known, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tracker.lab.judging import Judgement

_FORM = 2  # raised when cells mean something else, so that old ones are not taken for new


@dataclass(frozen=True)
class Cell:
    """What was found, in plain values.

    Attributes
    ----------
    network, data
        Row and column: a network's name, and what the data are called here.
    network_id, source, split, head
        What exactly was judged.
    n, accuracy, macro_f1, majority, ece, nll
        See `tracker.lab.evaluation.Evaluation`.
    intervals
        95 %, by figure; none of a single face.
    f1
        By emotion; only of those that faces have.
    skipped
        Pictures that could not be read.
    notes
        What was left out, and how pictures were cut.
    """

    network: str
    data: str
    network_id: str
    source: str
    split: str
    head: str
    n: int
    accuracy: float
    macro_f1: float
    majority: float
    ece: float
    nll: float
    intervals: dict[str, tuple[float, float]]
    f1: dict[str, float]
    skipped: int
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def cell_of(found: Judgement) -> Cell:
    """Make a cell from a judgement; its row, column and source are still empty."""
    e = found.figures
    return Cell(
        network="",
        data="",
        network_id="",
        source="",
        split="",
        head=e.head,
        n=e.n,
        accuracy=e.accuracy,
        macro_f1=e.macro_f1,
        majority=e.majority,
        ece=e.ece,
        nll=e.nll,
        intervals=dict(e.intervals),
        f1={name: s.f1 for name, s in e.per_class.items() if s.n},
        skipped=len(found.broken),
        notes=(f"Pictures: {found.framing}.", *found.notes),
    )


@dataclass(frozen=True)
class Kept:
    """A folder of cells, one file each, named by everything that the figures depend on.

    Parameters
    ----------
    folder
        Where they lie; None keeps nothing.
    """

    folder: Path | None

    def find(self, key: str) -> Cell | None:
        """Return a cell that was found before; None when there is none or its file is damaged."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["intervals"] = {name: (low, high) for name, (low, high) in values["intervals"].items()}
            return Cell(**{**values, "notes": tuple(values["notes"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def keep(self, key: str, cell: Cell) -> None:
        """Write a cell, whole or not at all."""
        path = self._path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(cell.as_dict(), indent=1) + "\n", encoding="utf-8")
        partial.replace(path)

    def _path(self, key: str) -> Path | None:
        return None if self.folder is None else self.folder / "cells" / f"{key}.json"


def key_of(*parts: str) -> str:
    """Return the name of a cell's file from what its figures depend on.

    Examples
    --------
    >>> key_of("default@1", "a") == key_of("default@1", "a") != key_of("default@1", "b")
    True
    """
    return hashlib.sha256("\0".join([str(_FORM), *parts]).encode()).hexdigest()[:32]
