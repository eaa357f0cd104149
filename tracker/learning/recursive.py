"""The state of a Bayesian regression that is pulled towards a prior and forgets towards it, one answer at a time."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

FloatArray = npt.NDArray[np.float64]

Linearise = Callable[[float], tuple[float, float]]
"""Curvature and curvature times working response of one answer's likelihood at a linear predictor."""

_LONGEST_STEP = 3.0


class RecursiveState:
    """Natural parameters of a normal posterior over weights: ``N(A^-1 h, A^-1)`` with ``A = P0 + D``.

    ``D`` and ``h`` hold only what the person's own answers said; both halve every `half_life` days, so that
    without news the weights return to the prior: a dynamic generalised linear model with discounting (West, Harrison
    & Migon 1985, JASA 80), each answer taken in by its Laplace approximation. In ``docs/leave-me-alone.md`` it equals,
    within chance, the exact posterior mode refitted on every answer; neither cost nor size grows with their number.

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
        self._precision = np.zeros((len(start), len(start)))
        self._shift = np.zeros(len(start))
        self._at = -math.inf
        self._posterior: tuple[FloatArray, FloatArray] | None = None

    @property
    def weights(self) -> FloatArray:
        """Posterior mean of the weights (d,)."""
        factor, half = self._solved()
        weights: FloatArray = lapack.dtrtrs(factor, half, lower=1, trans=1)[0]
        return weights

    def at(self, x: FloatArray) -> tuple[float, float]:
        """Posterior mean and variance of the linear predictor at `x`."""
        factor, half = self._solved()
        along = lapack.dtrtrs(factor, x, lower=1)[0]
        return float(along @ half), float(along @ along)

    def variance(self, x: FloatArray) -> float:
        """Posterior variance of the linear predictor at `x`."""
        return self.at(x)[1]

    def absorb(self, x: FloatArray, at: float, linearise: Linearise) -> None:
        """Take in one answer at scaled features `x` (d,), the last of them 1, at a time in days."""
        self._forget(at)
        before, variance = self.at(x)
        # The answer's likelihood is linearised where it leaves the predictor: two steps find that closely enough.
        eta = before
        for _ in range(2):
            curvature, response = linearise(eta)
            after = before + variance * (response - curvature * before) / (1.0 + curvature * variance)
            eta += min(max(after - eta, -_LONGEST_STEP), _LONGEST_STEP)
        curvature, response = linearise(eta)
        answer = np.outer(x, x)
        answer *= curvature
        answer += self._precision
        # Kept in single precision, so that what is frozen is small and thaws to the same bits.
        self._precision = answer.astype(np.float32).astype(np.float64)
        self._shift = self._shift + response * x
        self._posterior = None

    def grow(self, start: FloatArray, pull: FloatArray, place: npt.NDArray[np.int64]) -> None:
        """Make room for more weights; `place` says where the old ones stand among the new."""
        precision, shift = np.zeros((len(start), len(start))), np.zeros(len(start))
        precision[np.ix_(place, place)] = self._precision
        shift[place] = self._shift
        self.start, self.pull = start, pull
        self._precision, self._shift, self._posterior = precision, shift, None

    def mirrored(self) -> RecursiveState:
        """The state of the opposite answer, had every answer so far been a plain yes or no."""
        other = RecursiveState(-self.start, self.pull, self.half_life)
        other._precision, other._shift, other._at = self._precision.copy(), -self._shift, self._at
        return other

    def freeze(self) -> dict[str, Any]:
        """Plain JSON: base64 of little-endian numbers, of the symmetric matrix the upper triangle."""
        upper = self._precision[np.triu_indices(len(self.start))]
        return {
            "at": None if self._at == -math.inf else self._at,
            "precision": _encode(upper, "<f4"),
            "shift": _encode(self._shift, "<f8"),
        }

    def thaw(self, frozen: Mapping[str, Any]) -> None:
        """Take over a frozen state of the same size, bit for bit.

        Raises
        ------
        ValueError
            When it is of another size, or holds something that is no number or no precision.
        """
        n = len(self.start)
        self._precision = np.zeros((n, n))
        upper = np.triu_indices(n)
        # Set, not added: a sum would lose the sign of a zero.
        values = _decode(frozen["precision"], "<f4", n * (n + 1) // 2)
        self._precision[upper] = self._precision.T[upper] = values
        self._shift = _decode(frozen["shift"], "<f8", n)
        self._at = -math.inf if frozen["at"] is None else float(frozen["at"])
        if frozen["at"] is not None and not math.isfinite(self._at):
            raise ValueError(f"an instant of {self._at}")
        # Raises where the numbers are the precision of no distribution.
        self._posterior = None
        self._solved()

    def _forget(self, at: float) -> None:
        if self._at > -math.inf and math.isfinite(self.half_life) and at > self._at:
            keep = 0.5 ** ((at - self._at) / self.half_life)
            self._precision = self._precision * keep
            self._shift = self._shift * keep
            self._posterior = None
        self._at = max(at, self._at)

    def _solved(self) -> tuple[FloatArray, FloatArray]:
        """The lower factor L of the precision ``A = L L^T``, and ``L^-1 h``; an inverse would cost many times more."""
        # A pure function of what is frozen: a thawed state and one that never froze agree to the last bit.
        if self._posterior is None:
            precision = self._precision.copy()
            np.einsum("ii->i", precision)[:] += self.pull
            # Transposed it has the order that LAPACK wants, so its lower triangle is the upper one that is frozen.
            factor, failed = lapack.dpotrf(precision.T, lower=1, overwrite_a=1)
            if failed:
                raise ValueError("the state of a learner is no precision")
            half = lapack.dtrtrs(factor, self.pull * self.start + self._shift, lower=1)[0]
            self._posterior = factor, half
        return self._posterior


def _encode(values: FloatArray, form: str) -> str:
    return base64.b64encode(values.astype(form).tobytes()).decode("ascii")


def _decode(text: str, form: str, count: int) -> FloatArray:
    values = np.frombuffer(base64.b64decode(text, validate=True), dtype=form).astype(np.float64)
    if len(values) != count or not np.isfinite(values).all():
        raise ValueError(f"{len(values)} numbers where {count} finite ones are needed")
    return values
