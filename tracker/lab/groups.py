"""How well a network reads different groups of people, and whether chance alone would explain the difference.

Claims of bias without intervals and a test are common and often do not hold (arXiv 2505.20512), and groups
differ in which emotions they show on the pictures. So there are two tests: one among all faces, one that
compares only faces of the same emotion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.fer.calibration import Floats
from tracker.lab.datasets.faces import UNLABELLED, Groups
from tracker.lab.evaluation import Evaluation, Labels, score

PERMUTATIONS = 2000
"""The least p that can be found is 1 / 2001."""


@dataclass(frozen=True)
class GroupFigures:
    """One attribute.

    Attributes
    ----------
    groups
        Figures by group, with intervals; groups without a face are not there.
    unknown
        Faces whose group the data do not say.
    spread
        Largest less smallest accuracy.
    p
        Share of random regroupings of all faces whose accuracies differ at least as much.
    p_same_emotion
        The same with faces regrouped only among those of the same emotion: a group that smiles more on its pictures is
        no longer easier for that.
    """

    groups: Mapping[str, Evaluation]
    unknown: int
    spread: float | None
    p: float | None
    p_same_emotion: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values; per group the figures without the confusion."""
        kept = ("n", "accuracy", "macro_f1", "ece", "majority", "intervals", "per_class")
        return {
            "groups": {
                name: {key: value for key, value in asdict(e).items() if key in kept}
                for name, e in self.groups.items()
            },
            "unknown": self.unknown,
            "test": {
                "statistic": "variance of accuracy between groups, weighted by their size",
                "spread": self.spread,
                "p": self.p,
                "p_same_emotion": self.p_same_emotion,
                "permutations": PERMUTATIONS,
            },
        }


def by_group(
    log_probabilities: Floats,
    labels: Labels,
    classes: Sequence[str],
    groups: Mapping[str, Groups],
    *,
    drawn: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, GroupFigures]:
    """Judge each group of each attribute.

    Parameters
    ----------
    log_probabilities, labels, classes
        As for `tracker.lab.evaluation.score`.
    groups
        By attribute, for the same faces.
    drawn
        (N,) which person or image each face is from, for the intervals.
    resamples
        Of the bootstrap in each group.
    seed
        Of regroupings and resamples.
    """
    right = (log_probabilities.argmax(axis=1) == labels).astype(np.float64)
    found = {}
    for name, group in groups.items():
        known = group.codes != UNLABELLED
        figures = {}
        for code, value in enumerate(group.values):
            rows = group.codes == code
            if rows.any():
                units = None if drawn is None else drawn[rows]
                figures[value] = score(
                    log_probabilities[rows],
                    labels[rows],
                    classes,
                    resamples=resamples,
                    seed=seed,
                    drawn=units,
                )
        accuracies = [e.accuracy for e in figures.values()]
        several = len(figures) > 1
        found[name] = GroupFigures(
            figures,
            int((~known).sum()),
            max(accuracies) - min(accuracies) if several else None,
            permutation_p(right[known], group.codes[known], seed=seed) if several else None,
            permutation_p(right[known], group.codes[known], labels[known], seed=seed) if several else None,
        )
    return found


def permutation_p(
    right: Floats,
    groups: Labels,
    within: Labels | None = None,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> float:
    """Return how often groups drawn at random differ in accuracy at least as much as these.

    Parameters
    ----------
    right
        (N,) 1 where the answer was right, else 0.
    groups
        (N,) which group.
    within
        (N,) strata: faces are regrouped only among those of the same stratum, and each face counts as its difference
        from what its stratum has on average.
    permutations
        How many regroupings.
    seed
        Of the regroupings.

    Examples
    --------
    >>> right = np.array([1.0] * 50 + [0.0] * 50)
    >>> permutation_p(right, np.repeat([0, 1], 50)) < 0.01 < permutation_p(right, np.tile([0, 1], 50))
    True
    """
    random = np.random.default_rng(seed)
    strata = np.zeros(len(right), np.int64) if within is None else within
    sizes = np.bincount(strata)
    mean = np.bincount(strata, right) / np.maximum(sizes, 1)
    excess = right - mean[strata]
    members = [np.flatnonzero(strata == s) for s in np.unique(strata)]
    counts = np.bincount(groups).astype(np.float64)

    def between(values: Floats) -> float:
        sums = np.bincount(groups, values, minlength=len(counts))
        return float((sums[counts > 0] ** 2 / counts[counts > 0]).sum())

    least, reached = between(excess) * (1 - 1e-9), 1
    shuffled = excess.copy()
    for _ in range(permutations):
        for rows in members:
            shuffled[rows] = excess[random.permutation(rows)]
        reached += between(shuffled) >= least
    return reached / (permutations + 1)
