"""The report of a challenge: scored from closed loops, then printed, written as JSON, or drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from tracker.lab.challenge.outcomes import Loops
from tracker.lab.challenge.plots import plot
from tracker.lab.challenge.results import LEARNER, About, BlockReport
from tracker.lab.challenge.scoring import figures
from tracker.lab.challenge.tables import WIDTH, print_block, print_header, print_meaning


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run measured.

    Attributes
    ----------
    blocks
        By their days, such as ``24-30``.
    loops
        What it was measured on, by method; drawings are made from it.
    """

    about: About
    blocks: Mapping[str, BlockReport]
    loops: Mapping[str, Loops] = field(default_factory=dict, repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is undefined is null."""
        return {
            "blocks": {name: block.as_json() for name, block in self.blocks.items()},
            "about": self.about.as_json(),
        }

    def print(self, console: Console) -> None:
        """Print tables of at most 100 columns, and what they mean; a narrower terminal gets fewer columns."""
        if not console.is_terminal:
            # A file has no width of its own.
            console.width = max(console.width, WIDTH)
        print_header(console, self.about)
        for name, block in self.blocks.items():
            print_block(console, name, block)
        print_meaning(console, self.about)

    def plot(self, directory: Path) -> list[Path]:
        """Draw the last block's figures as SVG files in a directory, which is made if missing."""
        return plot(self.about, self.blocks, self.loops, directory)


def score(loops: Mapping[str, Loops], blocks: Sequence[tuple[int, int]], about: About) -> Report:
    """Score every method in every block.

    Parameters
    ----------
    loops
        By method; ours is called ``learner``, the baselines as in `results.BASELINES`.
    blocks
        First and last day of each, both included.

    Raises
    ------
    ValueError
        Without our own method.
    """
    if LEARNER not in loops:
        raise ValueError(
            f"a report needs the method {LEARNER!r}; there are only {', '.join(loops) or 'none'}"
        )
    found = {}
    for first, last in blocks:
        scored = {name: figures(run.at_decided, run.at_system, first, last) for name, run in loops.items()}
        ours = scored.pop(LEARNER)
        found[f"{first}-{last}"] = BlockReport(ours, scored)
    return Report(about, found, loops)
