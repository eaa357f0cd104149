"""Fit a prior: rows of other people in, scales and pooled weights out.

Pure: the same rows give the same prior, whoever's they are and in whatever order they come, so leaving a person's rows
out *is* the prior without that person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.learning.histories import AT
from tracker.learning.prior import ABSENT_IS_ZERO, CLIP, MAX_NAMES, FloatArray, Prior, PriorError

RIDGE = 333.0
"""Pull of the pooled regression towards 0, in answers: chosen over people, see ``docs/leave-me-alone.md``."""

_RARE_SHARE, _RARE = 0.005, 20
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of one contributor.

    Parameters
    ----------
    contributor
        Whose it is; any name that is the same for the same person.
    features
        As `History.features` gave them.
    value
        The share of yes in [0, 1], or a number.
    weight
        How much it counts, in (0, 1].
    """

    contributor: str
    features: Mapping[str, float]
    value: float
    weight: float = 1.0


def fit_prior(rows: Iterable[Row], kind: str) -> Prior:
    """Fit the pooled regression, ridge or logistic with L2, every contributor's answers weighing the same.

    Parameters
    ----------
    rows
        In any order: they are sorted first, so that the order changes no bit.
    kind
        ``yes_no`` (values in [0, 1]) or ``number``.

    Examples
    --------
    >>> rows = [Row(who, {"now:tired": t}, float(t > 0)) for who in "ab" for t in (-2.0, -1.0, 1.0, 2.0) * 5]
    >>> prior = fit_prior(rows, "yes_no")
    >>> prior.weights[0] > 0, prior.contributors
    (True, (('a', 20), ('b', 20)))

    Raises
    ------
    PriorError
        When there are no rows, or the kind is none.
    """
    if kind not in ("yes_no", "number"):
        raise PriorError(f"{kind!r} is no kind of target that has a prior of this form")
    ordered = sorted(rows, key=_order)
    if not ordered:
        raise PriorError("a prior needs at least one answer of somebody else")
    names = _names([row.features for row in ordered])
    raw = matrix([row.features for row in ordered], names)
    means, scales = _scales(raw)
    x = standardise(raw, means, scales)
    y = np.array([row.value for row in ordered])
    w = np.array([row.weight for row in ordered])
    three = kind == "yes_no" and bool(((y > 0) & (y < 1)).any())
    weights = _logistic(x, plain_yes(y), w) if kind == "yes_no" else _ridge(x, y, w)
    opposite = _logistic(x, plain_yes(1 - y), w) if three else np.zeros(1)
    left = y - x @ weights[:-1] - weights[-1]
    noise = float(np.sqrt(np.average(left**2, weights=w))) if kind == "number" else 1.0
    counts = sorted(Counter(row.contributor for row in ordered).items())
    return Prior(
        kind=kind,
        names=tuple(names),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        weights=tuple(weights[:-1].tolist()),
        intercept=float(weights[-1]),
        noise=max(noise, 0.05),
        contributors=tuple(counts),
        opposite=tuple(opposite[:-1].tolist()),
        opposite_intercept=float(opposite[-1]),
    )


def plain_yes(share: FloatArray) -> FloatArray:
    """How far a share of yes is a plain yes: 1 for yes, 0 for no and for "either".

    Examples
    --------
    >>> plain_yes(np.array([0.0, 0.5, 0.75, 1.0])).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    return np.maximum(0.0, 2.0 * share - 1.0)


def matrix(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> FloatArray:
    """Lay features out as (rows, names); what is unknown is NaN."""
    index = {name: i for i, name in enumerate(names)}
    out = np.full((len(rows), len(names)), np.nan)
    for r, features in enumerate(rows):
        for name, value in features.items():
            i = index.get(name)
            if i is not None:
                out[r, i] = value
    zero = [i for i, name in enumerate(names) if name.startswith(ABSENT_IS_ZERO)]
    out[:, zero] = np.nan_to_num(out[:, zero])
    return out


def standardise(raw: FloatArray, means: FloatArray, scales: FloatArray) -> FloatArray:
    """Scale to mean 0 and standard deviation 1, clip, and put the mean where nothing is known."""
    scaled: FloatArray = np.nan_to_num(np.clip((raw - means) / scales, -CLIP, CLIP))
    return scaled


def _order(row: Row) -> tuple[str, float, float, float, list[tuple[str, float]]]:
    return row.contributor, row.features.get(AT, 0.0), row.value, row.weight, sorted(row.features.items())


def _names(rows: Sequence[Mapping[str, float]]) -> list[str]:
    counts = Counter(name for features in rows for name in features)
    least = max(min(_RARE, len(rows) / 2), _RARE_SHARE * len(rows))
    often = sorted(
        (name for name, n in counts.items() if n >= least and name != AT), key=lambda k: (-counts[k], k)
    )
    return sorted(often[:MAX_NAMES])


def _scales(raw: FloatArray) -> tuple[FloatArray, FloatArray]:
    means = np.nanmean(raw, axis=0)
    scales = np.nanstd(raw, axis=0)
    scales[scales < _FLAT] = 1.0
    return means.astype(np.float64), scales.astype(np.float64)


def _penalty(columns: int) -> FloatArray:
    penalty = np.full(columns + 1, RIDGE)
    penalty[-1] = 1e-3
    return penalty


def _logistic(x: FloatArray, y: FloatArray, w: FloatArray, steps: int = 50) -> FloatArray:
    """Newton's method on the penalised likelihood; the last weight is the intercept."""
    design = np.column_stack([x, np.ones(len(x))])
    penalty = _penalty(x.shape[1])
    beta = np.zeros(design.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (w * (p - y)) + penalty * beta
        curvature = (design * (w * p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step: FloatArray = np.linalg.solve(curvature, gradient).astype(np.float64)
        # A longer step than this overshoots where everybody answered the same.
        beta = beta - step * min(1.0, 3.0 / max(float(np.abs(step).max()), _FLAT))
        if float(np.abs(step).max()) < 1e-9:
            break
    return beta


def _ridge(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    design = np.column_stack([x, np.ones(len(x))])
    normal = (design * w[:, None]).T @ design + np.diag(_penalty(x.shape[1]) * 0.1)
    solution: FloatArray = np.linalg.solve(normal, design.T @ (w * y)).astype(np.float64)
    return solution
