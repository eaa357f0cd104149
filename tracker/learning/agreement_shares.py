"""A share with its interval: how often something was so, and between what limits that may lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with a 95 % interval.

    Attributes
    ----------
    hits, of
        The counts.
    value
        Their quotient.
    low, high
        Wilson's interval: honest for few, and never beyond 0 and 1.
    """

    hits: int
    of: int
    value: float
    low: float
    high: float


def share(hits: int, of: int) -> Share | None:
    """A share with Wilson's score interval (Wilson 1927); None of nothing.

    Examples
    --------
    >>> found = share(8, 10)
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (0.49, 0.8, 0.943)
    >>> share(0, 0) is None
    True
    """
    if of == 0:
        return None
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return Share(hits, of, p, max(0.0, middle - half), min(1.0, middle + half))
