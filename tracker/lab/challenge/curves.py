"""What drawings show, as numbers: accuracy by coverage, reliability, days."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tracker.lab.challenge.intervals import Figure, Resample, contributors, over_draws, ratio, summarise
from tracker.lab.challenge.outcomes import ASKED, BoolArray, FloatArray, Outcomes
from tracker.lab.challenge.sureness import shares
from tracker.lab.challenge.tallies import Tally, right


def accuracy_by_coverage(
    draws: Sequence[Outcomes], first_day: int, last_day: int, grid: Sequence[float]
) -> list[float]:
    """Return the accuracy on the surest share of moments, for each share, chosen in hindsight; mean over draws.

    Equally sure moments count in parts, so that no order among them is invented.
    """
    curves = []
    for draw in Tally.of(draws, first_day, last_day).draws:
        curves.append([_surest(draw, share) for share in grid])
    return [float(v) for v in over_draws(np.array(curves))]


def _surest(draw: Outcomes, share: float) -> float:
    if not len(draw):
        return float("nan")
    unsure = np.minimum(draw.probability, 1 - draw.probability)
    _, group, size = np.unique(unsure, return_inverse=True, return_counts=True)
    before = np.cumsum(size) - size
    taken = np.clip(share * len(draw) - before, 0, size) / size
    return float((taken[group] * right(draw)).sum() / taken[group].sum())


def reliability(draws: Sequence[Outcomes], first_day: int, last_day: int) -> list[tuple[float, Figure]]:
    """Return for ten equal-mass bins how sure it was, and how often it was right; definite answers only."""
    tally = Tally.of(draws, first_day, last_day)
    drawn = Resample.of(tally.people)
    bins: list[tuple[list[float], list[FloatArray], list[FloatArray]]] = [([], [], []) for _ in range(10)]
    for draw in (d.where(~d.either) for d in tally.draws if len(d)):
        sure = np.maximum(draw.probability, 1 - draw.probability)
        for (surenesses, hits, masses), part in zip(bins, shares(sure).T, strict=True):
            if part.sum() == 0:
                continue
            surenesses.append(float((part * sure).sum() / part.sum()))
            hits.append(np.bincount(draw.person, part * right(draw), tally.people).astype(np.float64))
            masses.append(np.bincount(draw.person, part, tally.people).astype(np.float64))
    found = []
    for surenesses, hits, masses in bins:
        if surenesses:
            above, below = np.stack(hits), np.stack(masses)
            figure = summarise(ratio(above, below, drawn.weights), contributors(below))
            found.append((float(np.mean(surenesses)), figure))
    return found


def by_day(draws: Sequence[Outcomes], of: Callable[[Outcomes], BoolArray], reach: int = 1) -> list[Figure]:
    """Return the share of something for every day from 1, taken over the days around it.

    Parameters
    ----------
    reach
        Days to either side.
    """
    last = max((int(d.day.max()) for d in draws if len(d)), default=0)
    found = []
    for day in range(1, last + 1):
        tally = Tally.of(draws, day - reach, day + reach)
        weights = Resample.of(tally.people, 200).weights
        scored = tally.scored
        found.append(summarise(ratio(tally.count(of), scored, weights), contributors(scored)))
    return found


def asked(draw: Outcomes) -> BoolArray:
    """Which moments were questions."""
    return np.asarray(draw.action == ASKED, dtype=np.bool_)
