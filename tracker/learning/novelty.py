"""How far a moment lies from those that were asked about: what an answer could teach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

FEWEST = 5
"""With fewer questions than this everything is new: how far features spread is not known."""


def novelty(here: Mapping[str, float], asked: Sequence[Mapping[str, float]], *, reach: float = 0.5) -> float:
    """How far a moment lies from the nearest of those asked about: 0 for one just like it, near 1 for one like none.

    Features are measured in their standard deviations over the questions; those that never varied do not count.

    Parameters
    ----------
    here, asked
        Features of this moment and of the recent questions; what one side lacks counts as 0.
    reach
        Root mean square distance over which an answer speaks for its surroundings. Larger asks less of what is alike.

    Examples
    --------
    >>> days = [{"calm": level} for level in (-1.0, -1.0, 0.0, 1.0, 1.0)]
    >>> [round(novelty({"calm": level}, days), 2) for level in (1.0, 1.5, 3.0)]
    [0.0, 0.46, 1.0]
    >>> novelty({"calm": 1.0}, days[:2])
    1.0
    """
    if len(asked) < FEWEST:
        return 1.0
    spreads = {
        name: _spread([other.get(name, 0.0) for other in asked]) for name in sorted(set().union(*asked))
    }
    used = {name: spread for name, spread in spreads.items() if spread > 0.0}
    if not used:
        return 0.0 if any(dict(here) == dict(other) for other in asked) else 1.0
    nearest = min(
        math.fsum(
            ((here.get(name, 0.0) - other.get(name, 0.0)) / spread) ** 2 for name, spread in used.items()
        )
        for other in asked
    )
    return 1.0 - math.exp(-nearest / len(used) / (2.0 * reach**2))


def _spread(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return spread if spread > 1e-9 else 0.0
