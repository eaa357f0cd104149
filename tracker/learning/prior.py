"""What a learner starts from: a regression on other people's answers, with the scales of what they saw.

Pure: the same rows give the same prior, whoever's they are and in whatever order they come, so leaving a person's rows
out *is* the prior without that person.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker.learning.histories import AT

FloatArray = npt.NDArray[np.float64]

FORMAT = "affect-tracker/prior"
FORMAT_VERSION = 1

MAX_NAMES = 80
"""Most features a learner has: its snapshot grows with their square and stays under 64 KiB."""

ABSENT_IS_ZERO = ("is:", "lack:")
"""Features that are 0 where they are not named; any other is unknown then, and counts as the mean."""

CLIP = 4.0
"""Standard deviations beyond which a feature says no more."""

RIDGE = 333.0
"""Pull of the pooled regression towards 0, in answers: chosen over people, see ``docs/leave-me-alone.md``."""

_RARE_SHARE, _RARE = 0.005, 20
_FLAT = 1e-9


class PriorError(ValueError):
    """A prior that cannot be fitted or read."""


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


@dataclass(frozen=True, slots=True)
class Prior:
    """Scales and pooled weights, and who they come from.

    Attributes
    ----------
    kind
        ``yes_no`` or ``number``.
    names
        The features it knows, sorted; a learner that starts from it looks at no other.
    means, scales
        Of each feature among the contributors.
    weights, intercept
        The pooled regression on the scaled features: log-odds, or the number itself.
    opposite, opposite_intercept
        The pooled regression of a plain no, where some contributor said "either": then no is not simply what is left
        of yes. Empty where it is.
    noise
        Standard deviation that the pooled regression leaves (``number`` only, else 1).
    contributors
        Each contributor with the number of their answers: the manifest.
    """

    kind: str
    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    noise: float
    contributors: tuple[tuple[str, int], ...]
    opposite: tuple[float, ...] = ()
    opposite_intercept: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Freeze as plain JSON."""
        return {"format": FORMAT, "version": FORMAT_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, frozen: Mapping[str, Any]) -> Prior:
        """Thaw.

        Raises
        ------
        PriorError
            When it is none of ours, or damaged.
        """
        found = (frozen.get("format"), frozen.get("version"))
        if found != (FORMAT, FORMAT_VERSION):
            raise PriorError(f"a prior is {found[0]!r} version {found[1]!r}, not {FORMAT!r} {FORMAT_VERSION}")
        try:
            prior = cls(
                kind=str(frozen["kind"]),
                names=tuple(str(name) for name in frozen["names"]),
                means=tuple(float(v) for v in frozen["means"]),
                scales=tuple(float(v) for v in frozen["scales"]),
                weights=tuple(float(v) for v in frozen["weights"]),
                intercept=float(frozen["intercept"]),
                noise=float(frozen["noise"]),
                contributors=tuple((str(who), int(n)) for who, n in frozen["contributors"]),
                opposite=tuple(float(v) for v in frozen["opposite"]),
                opposite_intercept=float(frozen["opposite_intercept"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise PriorError(f"a prior is damaged: {error!r}; fit it again") from error
        columns = (prior.means, prior.scales, prior.weights, prior.opposite or prior.weights)
        numbers = [v for column in columns for v in column]
        numbers += [prior.intercept, prior.opposite_intercept, prior.noise]
        sized = len(set(prior.names)) == len(prior.names) and all(len(c) == len(prior.names) for c in columns)
        if not sized or not all(map(math.isfinite, numbers)) or min(*prior.scales, prior.noise, 1.0) <= 0:
            raise PriorError("a prior holds an impossible number; fit it again")
        return prior

    @property
    def three_answers(self) -> bool:
        """Whether somebody said "either", so that yes and no have regressions of their own."""
        return bool(self.opposite)

    def turned(self) -> Prior:
        """The prior of a plain no.

        Examples
        --------
        >>> Prior("yes_no", ("now:tired",), (0.0,), (1.0,), (2.0,), 0.5, 1.0, ()).turned().weights
        (-2.0,)
        """
        weights = self.opposite or tuple(-w for w in self.weights)
        intercept = self.opposite_intercept if self.opposite else -self.intercept
        return replace(self, weights=weights, intercept=intercept, opposite=(), opposite_intercept=0.0)

    @property
    def sha256(self) -> str:
        """SHA-256 of its canonical JSON: the prior's id."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


def no_prior(kind: str) -> Prior:
    """The prior of nobody: no tendency, and features on their own scales.

    Examples
    --------
    >>> no_prior("yes_no").names
    ()
    """
    return Prior(kind, (), (), (), (), 0.0, 1.0, ())


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
