"""Run the proof and print its table: ``python -m tests.invariants [NN …]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.invariants.catalogue import HERE, invariants
from tests.invariants.table import Table


def main(arguments: list[str], folder: Path = HERE) -> int:
    """Run the invariants of these numbers, or all; return the exit code: 0 only when every one was shown."""
    numbers = {int(a) for a in arguments if a.isdigit()}
    chosen = [i for i in invariants(folder) if not numbers or i.number in numbers]
    table = Table(chosen, whole=not numbers and folder == HERE)
    options = [a for a in arguments if not a.isdigit()]
    if folder == HERE and (os.cpu_count() or 1) > 1:
        options = ["-n", "2", "--dist", "loadgroup", *options]
    paths = [str(i.path) for i in chosen]
    pytest.main(
        [
            "-m",
            "privacy",
            "-q",
            "--continue-on-collection-errors",
            "-p",
            "no:cacheprovider",
            *options,
            *paths,
        ],
        plugins=[table],
    )
    print(table.text())
    return 0 if table.shown else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
