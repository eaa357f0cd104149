"""The 32 invariants: where each one's tests stand, and what of it cannot be shown yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NUMBERS = range(1, 33)

NOT_BUILT: dict[int, str] = {}
"""Parts of an invariant that need what does not stand yet; they are never printed as proved."""

_NAMED = re.compile(r"test_(\d\d)_(\w+)\.py")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One invariant: number, name, and the module that proves it."""

    number: int
    name: str
    path: Path


def invariants(folder: Path = HERE) -> list[Invariant]:
    """Those that have a module in a folder, in order of number."""
    found = []
    for path in sorted(folder.glob("test_[0-9][0-9]_*.py")):
        named = _NAMED.fullmatch(path.name)
        if named is not None:
            found.append(Invariant(int(named[1]), named[2].replace("_", " "), path))
    return found


def number_of(path: str) -> int | None:
    """The invariant whose module a path or a test's id names.

    >>> number_of("tests/invariants/test_07_no_scope_implies_another.py::test_x[sqlite]")
    7
    """
    named = _NAMED.search(path)
    return int(named[1]) if named else None
