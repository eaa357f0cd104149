"""A share with its interval: how often something was so, and between what limits that may lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

FEWEST = 20
"""Cases below which a figure is called early: an interval of fewer says next to nothing."""

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with a 95 % interval, as if cases were independent.

    The interval is the score interval of Wilson (1927): honest for few, and never beyond 0 and 1.

    Parameters
    ----------
    hits, n
        The counts.

    Examples
    --------
    >>> found = Share(15, 20)
    >>> found.value, round(found.low, 2), round(found.high, 2), found.early
    (0.75, 0.53, 0.89, False)
    >>> Share(3, 4).early, Share(0, 0).low, Share(0, 0).high
    (True, 0.0, 1.0)
    """

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing."""
        return self.hits / self.n if self.n else 0.0

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self._bound(-1.0)

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self._bound(1.0)

    @property
    def early(self) -> bool:
        """Whether it rests on too little to be told."""
        return self.n < FEWEST

    @property
    def ranged(self) -> bool:
        """Whether there is an interval at all; of a share there always is one."""
        return True

    def _bound(self, side: float) -> float:
        if not self.n:
            return 0.0 if side < 0 else 1.0
        p, n, z = self.value, self.n, _Z
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return min(max((p + z * z / (2 * n) + side * spread) / (1 + z * z / n), 0.0), 1.0)


def share(hits: int, n: int) -> Share | None:
    """A share; None of nothing, where there is no figure to show.

    Examples
    --------
    >>> found = share(8, 10)
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (0.49, 0.8, 0.943)
    >>> share(0, 0) is None
    True
    """
    return Share(hits, n) if n else None
