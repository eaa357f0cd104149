"""The state of a Bayesian regression that is pulled towards a prior and forgets towards it, one answer at a time."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Linearise = Callable[[float], tuple[float, float]]
"""Curvature and curvature times working response of one answer's likelihood at a linear predictor."""

_LONGEST_STEP = 3.0


class RecursiveState:
    """Natural parameters of a normal posterior over weights: ``N(A^-1 h, A^-1)`` with ``A = P0 + D``.

    ``D`` and ``h`` hold only what the person's own answers said; both halve every `half_life` days, so that
    without news the weights return to the prior: a dynamic generalised linear model with discounting (West, Harrison & Migon 1985,
    JASA 80), each answer taken in by its Laplace approximation. In ``docs/learning.md`` it equals, within chance, the
    exact posterior mode refitted on every answer, at a cost and a size that do not grow with their number.

    Parameters
    ----------
    start
        Prior weights (d,), the intercept last.
    pull
        Prior precisions (d,): how many answers' worth of evidence the prior weighs, per weight.
    half_life
        In days; infinity never forgets.
    """

    def __init__(self, start: FloatArray, pull: FloatArray, half_life: float) -> None:
        self.start, self.pull, self.half_life = start, pull, half_life
        self.weights: FloatArray = start.copy()
        self._precision = np.zeros((len(start), len(start)))
        self._shift = np.zeros(len(start))
        self._at = -math.inf

    def absorb(self, x: FloatArray, at: float, linearise: Linearise) -> None:
        """Take in one answer at scaled features `x` (d,), the last of them 1, at a time in days."""
        self._forget(at)
        base = np.diag(self.pull) + self._precision
        target = self.pull * self.start + self._shift
        beta = self.weights
        # The answer's own weights are where its likelihood must be linearised: two steps find them closely enough.
        for _ in range(2):
            curvature, response = linearise(float(x @ beta))
            step = _solve(base + curvature * np.outer(x, x), target + response * x) - beta
            beta = beta + step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-9))
        curvature, response = linearise(float(x @ beta))
        self._precision += curvature * np.outer(x, x)
        self._shift += response * x
        self.weights = _solve(np.diag(self.pull) + self._precision, self.pull * self.start + self._shift)

    def variance(self, x: FloatArray) -> float:
        """Posterior variance of the linear predictor at `x`."""
        return float(x @ _solve(np.diag(self.pull) + self._precision, x))

    def grow(self, start: FloatArray, pull: FloatArray, place: npt.NDArray[np.int64]) -> None:
        """Make room for more weights; `place` says where the old ones stand among the new."""
        precision, shift, weights = np.zeros((len(start), len(start))), np.zeros(len(start)), start.copy()
        precision[np.ix_(place, place)] = self._precision
        shift[place], weights[place] = self._shift, self.weights
        self.start, self.pull = start, pull
        self._precision, self._shift, self.weights = precision, shift, weights

    def freeze(self) -> dict[str, Any]:
        """Plain JSON; the matrices as base64 of little-endian doubles, the upper triangle of the symmetric one."""
        upper = self._precision[np.triu_indices(len(self.start))]
        return {
            "at": None if self._at == -math.inf else self._at,
            "precision": _encode(upper),
            "shift": _encode(self._shift),
            "weights": _encode(self.weights),
        }

    def thaw(self, frozen: Mapping[str, Any]) -> None:
        """Take over a frozen state of the same size, bit for bit.

        Raises
        ------
        ValueError
            When it is of another size or holds something that is no number.
        """
        n = len(self.start)
        upper = _decode(frozen["precision"], n * (n + 1) // 2)
        self._precision = np.zeros((n, n))
        self._precision[np.triu_indices(n)] = upper
        self._precision = self._precision + np.triu(self._precision, 1).T
        self._shift, self.weights = _decode(frozen["shift"], n), _decode(frozen["weights"], n)
        self._at = -math.inf if frozen["at"] is None else float(frozen["at"])

    def _forget(self, at: float) -> None:
        if self._at > -math.inf and math.isfinite(self.half_life):
            keep = 0.5 ** (max(at - self._at, 0.0) / self.half_life)
            self._precision *= keep
            self._shift *= keep
        self._at = max(at, self._at)


def _solve(a: FloatArray, b: FloatArray) -> FloatArray:
    solution: FloatArray = np.linalg.solve(a, b).astype(np.float64, copy=False)
    return solution


def _encode(values: FloatArray) -> str:
    return base64.b64encode(values.astype("<f8").tobytes()).decode("ascii")


def _decode(text: str, count: int) -> FloatArray:
    values = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(np.float64)
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"{len(values)} numbers where {count} finite ones are needed")
    return values
