"""Differentially private counts and means of people, by OpenDP's mechanisms.

Everything here protects the **person**: two cohorts are neighbours when one has everything of one person more than
the other. Each person enters a figure once, as one table of numbers that is clamped before it is added up: every
row of it holds shares of one (the eight emotions, or a mean and its rest), so whatever somebody has recorded, they
move the sums by at most one per row. Sums are of integers (shares in units of 2^-16, rounded down), because sums of
floating-point numbers can move by more than they should (Casacuberta et al., *Widespread Underestimation of
Sensitivity in Differentially Private Libraries and How to Fix It*, 2022); noise is OpenDP's discrete Laplace
distribution, whose privacy map is asked again at each use.

Figures are made of at least so many people, for certain; that there were enough is itself told privately, by a
noisy count that has to clear a threshold (`threshold`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import opendp.prelude as dp
from numpy.typing import NDArray

GRID = 1 << 16
"""Units in a share of one."""

COUNT_SHARE = 0.25
"""How much of a release's ε goes into the count of people that everything else waits for."""

_SLACK = 1e-9
"""How far OpenDP's own map may lie above the ε that was wanted, from rounding up its last digit."""


class PrivacyMapError(AssertionError):
    """OpenDP says that a mechanism would cost more than it may: a fault of the program; nothing was released."""


@dataclass(frozen=True, slots=True)
class Noisy:
    """A figure's sums with noise.

    Attributes
    ----------
    sums
        ``(rows, cells)``, in people; can be negative.
    scale
        The noise's scale in people: each sum is off by less than three times it in 95 of 100 cases.
    """

    sums: NDArray[np.float64]
    scale: float

    @property
    def people(self) -> NDArray[np.float64]:
        """How many people each row is made of, with noise: ``(rows,)``."""
        counted: NDArray[np.float64] = self.sums.sum(axis=1)
        return counted

    def shares(self) -> NDArray[np.float64]:
        """Each row's mean over people: the nearest one that is possible, ``(rows, cells)``, each row sums to 1."""
        return np.array([_nearest_shares(row / max(row.sum(), 1.0)) for row in self.sums])

    def margins(self) -> NDArray[np.float64]:
        """How far each share is off by the noise in 95 of 100 cases, at most 1: ``(rows, cells)``."""
        shares, cells = self.shares(), self.sums.shape[1]
        # A share's error is (its noise - share * the row's noise) / people. Laplace noise stays within 2.12 standard
        # deviations in 95 of 100 cases; sums of it have lighter tails.
        spread = np.sqrt(2 * ((1 - shares) ** 2 + (cells - 1) * shares**2)) * self.scale
        room = math.log(20) / math.sqrt(2) * spread
        within: NDArray[np.float64] = np.minimum(1.0, room / np.maximum(self.people, 1.0)[:, np.newaxis])
        return within

    def certain(self, least: int) -> NDArray[np.bool_]:
        """Which rows have at least `least` people but for one chance in a hundred; only these are shown."""
        # The noise of a count is that of all its cells: standard deviation sqrt(2 * cells) * scale.
        room = 3 * math.sqrt(2 * self.sums.shape[1]) * self.scale
        clear: NDArray[np.bool_] = self.people >= least + room
        return clear


def threshold(epsilon: float, delta: float, least: int) -> int:
    """The noisy count from which on a release is made.

    A cohort of fewer than `least` people is never released, whatever the noise. That is sharper than noise can
    hide, so one of just `least` people must look alike but for a chance of δ: the threshold lies so high
    that noise lifts it there no oftener.

    Parameters
    ----------
    epsilon
        Of the noisy count; discrete Laplace noise of scale 1 / ε.
    delta
        How probable a difference may be.
    least
        People.

    Examples
    --------
    >>> threshold(1.0, 1e-6, 10), threshold(0.25, 1e-6, 10)
    (24, 63)
    """
    # P(noise >= t) = a^t / (1 + a) with a = exp(-ε), for t >= 1.
    steps = (math.log(1 / delta) - math.log1p(math.exp(-epsilon))) / epsilon
    return least + max(1, math.ceil(steps))


def noisy_count(people: int, epsilon: float) -> int:
    """A count of people with noise of scale 1 / ε; can be negative."""
    [count] = _laplace([people], sensitivity=1, epsilon=epsilon)
    return count


def noisy_sums(contributions: Sequence[NDArray[np.float64]], shape: tuple[int, int], epsilon: float) -> Noisy:
    """Add up what people contribute, with noise.

    Parameters
    ----------
    contributions
        One table of `shape` (rows, cells) per person: each row non-negative with a sum of at most 1, or empty
        (zeros) where they have nothing. What is outside of that is clamped: it cannot move the sums further.
    shape
        Of each table.
    epsilon
        What it costs a person.
    """
    total = np.zeros(shape, dtype=np.int64)
    for table in contributions:
        total += _units(table, shape)
    rows = shape[0]
    noisy = _laplace([int(v) for v in total.ravel()], sensitivity=rows * GRID, epsilon=epsilon)
    sums = np.array(noisy, dtype=np.float64).reshape(shape) / GRID
    return Noisy(sums, rows / epsilon)


def passed(people: int, noisy: int, least: int, at_least: int) -> bool:
    """Whether a release is made: never of fewer than `least`, else as the noisy count says.

    Examples
    --------
    >>> passed(9, 500, least=10, at_least=63), passed(80, 62, least=10, at_least=63), passed(80, 63, 10, 63)
    (False, False, True)
    """
    return people >= least and noisy >= at_least


def split(epsilon: float, figures: Sequence[str]) -> tuple[float, Mapping[str, float]]:
    """Share a release's ε among the count of people and its figures.

    Examples
    --------
    >>> split(1.0, ["a", "b", "c"])
    (0.25, {'a': 0.25, 'b': 0.25, 'c': 0.25})
    >>> split(1.0, [])
    (1.0, {})
    """
    if not figures:
        return epsilon, {}
    count = epsilon * COUNT_SHARE
    return count, {figure: (epsilon - count) / len(figures) for figure in figures}


def _units(table: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    if table.shape != shape:
        raise ValueError(f"a contribution of shape {table.shape} to a figure of shape {shape}")
    clamped = np.clip(np.nan_to_num(table, nan=0.0, posinf=0.0, neginf=0.0), 0.0, 1.0)
    sums = clamped.sum(axis=1, keepdims=True)
    units = np.floor(clamped / np.maximum(sums, 1.0) * GRID).astype(np.int64)
    # A division that was rounded up can still leave a row a unit too large.
    units[units.sum(axis=1) > GRID] -= 1
    whole: NDArray[np.int64] = np.maximum(units, 0)
    return whole


def _laplace(values: list[int], sensitivity: int, epsilon: float) -> list[int]:
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    mechanism: Any = dp.m.make_laplace(*space, scale=noise_scale(sensitivity, epsilon))
    if (cost := mechanism.map(d_in=sensitivity)) > epsilon + _SLACK:
        raise PrivacyMapError(f"the mechanism costs {cost}, not {epsilon}; nothing was released")
    return [int(v) for v in mechanism(values)]


def noise_scale(sensitivity: int, epsilon: float) -> float:
    """The scale of Laplace noise that makes sums which one person moves by `sensitivity` ε-private."""
    return sensitivity / epsilon


def _nearest_shares(row: NDArray[np.float64]) -> NDArray[np.float64]:
    """The point of the probability simplex nearest to a row (Held, Wolfe and Crowder 1974)."""
    ordered = np.sort(row)[::-1]
    above = (np.cumsum(ordered) - 1) / np.arange(1, len(row) + 1)
    last = int(np.nonzero(ordered > above)[0][-1])
    nearest: NDArray[np.float64] = np.maximum(row - above[last], 0.0)
    return nearest
