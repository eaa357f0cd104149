"""A measured figure beside its limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """Our seconds beside the limit's, as a ratio with its target.

    Attributes
    ----------
    what, beside
        What was measured, and the limit or peer that it is measured against.
    ours_s, beside_s
        Medians over runs, seconds.
    ratio
        The figure that the target speaks of: time over time, or rate over rate.
    target
        For example ``<= 1.25``.
    met
        Whether it holds.
    """

    what: str
    ours_s: float
    beside: str
    beside_s: float
    ratio: float
    target: str
    met: bool

    def as_dict(self) -> dict[str, Any]:
        """The figure as plain values."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The figure as cells of a table row."""
        return (
            self.what,
            f"{self.ours_s * 1000:,.1f} ms",
            f"{self.beside}: {self.beside_s * 1000:,.1f} ms",
            f"{self.ratio:.2f}",
            self.target,
            "met" if self.met else "MISSED",
        )


def cost(what: str, ours: list[float], beside: str, limit: list[float], at_most: float) -> Figure:
    """A ratio of times that should be small."""
    a, b = median(ours), median(limit)
    return Figure(what, a, beside, b, a / b, f"<= {at_most}", a / b <= at_most)


def rate(what: str, ours: list[float], beside: str, limit: list[float], at_least: float) -> Figure:
    """A ratio of rates over the same work that should be large."""
    a, b = median(ours), median(limit)
    return Figure(what, a, beside, b, b / a, f">= {at_least}", b / a >= at_least)


def absolute(what: str, ours: list[float], limit_s: float) -> Figure:
    """A time beside a stated number of seconds."""
    a = median(ours)
    return Figure(what, a, "target", limit_s, a / limit_s, "<= 1", a <= limit_s)


def alternate(runs: int, *sides: Callable[[int], float]) -> list[list[float]]:
    """Run each side in turn, so that what the machine does meanwhile falls on all alike."""
    times: list[list[float]] = [[] for _ in sides]
    for i in range(runs):
        for found, side in zip(times, sides, strict=True):
            found.append(side(i))
    return times


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
