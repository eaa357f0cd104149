"""Drawings of a report, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tracker.lab.challenge.outcomes import Loops
from tracker.lab.challenge.results import About, BlockReport


def plot(
    about: About, blocks: Mapping[str, BlockReport], loops: Mapping[str, Loops], directory: Path
) -> list[Path]:
    """Draw (to come)."""
    return []
