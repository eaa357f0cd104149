"""A measured figure beside its limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What ours takes beside the limit, as a ratio with its target.

    Attributes
    ----------
    what, beside
        What was measured, and the limit or peer that it is measured against.
    ours_s, beside_s
        Medians over runs, or sums of the least of many short rounds; in seconds, or in `unit`.
    ratio
        The figure that the target speaks of: time over time, or rate over rate.
    target
        For example ``<= 1.25``; empty where none was set.
    met
        Whether it holds.
    unit
        Of what was measured.
    """

    what: str
    ours_s: float
    beside: str
    beside_s: float
    ratio: float
    target: str
    met: bool
    unit: str = "s"

    def as_dict(self) -> dict[str, Any]:
        """The figure as plain values."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The figure as cells of a table row."""
        return (
            self.what,
            self._told(self.ours_s),
            f"{self.beside}: {self._told(self.beside_s)}",
            f"{self.ratio:.2f}",
            self.target,
            ("met" if self.met else "MISSED") if self.target else "",
        )

    def _told(self, amount: float) -> str:
        return f"{amount * 1000:,.1f} ms" if self.unit == "s" else f"{amount:,.1f} {self.unit}"


def cost(what: str, ours: list[float], beside: str, limit: list[float], at_most: float) -> Figure:
    """A ratio of times that should be small."""
    a, b = median(ours), median(limit)
    return Figure(what, a, beside, b, a / b, f"<= {at_most}", a / b <= at_most)


def size(what: str, ours: float, beside: str, limit: float, at_most: float, unit: str = "KiB") -> Figure:
    """A ratio of sizes that should be small."""
    return Figure(what, ours, beside, limit, ours / limit, f"<= {at_most}", ours / limit <= at_most, unit)


def comparison(what: str, ours_s: float, beside: str, beside_s: float) -> Figure:
    """A ratio of times that was promised nothing about."""
    return Figure(what, ours_s, beside, beside_s, ours_s / beside_s, "", True)


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


def least(rounds: int, *sides: Callable[[], Iterator[float]]) -> list[float]:
    """How long each side takes over the same short pieces of work, of every piece the least of several rounds.

    The sides take turns piece by piece: on a busy machine the least is what is closest to the work itself.

    Parameters
    ----------
    rounds
        How often all is done.
    sides
        Each begins anew when called, and gives the seconds of one piece after another.
    """
    best: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for n, pieces in enumerate(zip(*(side() for side in sides), strict=True)):
            for found, piece in zip(best, pieces, strict=True):
                found[n:] = [min([piece, *found[n : n + 1]]), *found[n + 1 :]]
    return [sum(found) for found in best]


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
