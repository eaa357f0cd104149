"""What a learner starts from: scales and pooled weights of other people's answers, and who they are."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FORMAT = "affect-tracker/prior"
FORMAT_VERSION = 1

MAX_NAMES = 80
"""Most features a learner has: its snapshot grows with their square and stays under 64 KiB."""

ABSENT_IS_ZERO = ("is:", "lack:")
"""Features that are 0 where they are not named; any other is unknown then, and counts as the mean."""

SCATTER = 0.4
"""Standard deviation of numbers in [-1, 1] about which nothing is known yet."""

CLIP = 4.0
"""Standard deviations beyond which a feature says no more."""


class PriorError(ValueError):
    """A prior that cannot be fitted or read."""


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
    """The prior of nobody: no tendency, features on their own scales, and numbers that scatter by `SCATTER`.

    Examples
    --------
    >>> no_prior("yes_no").names
    ()
    """
    return Prior(kind, (), (), (), (), 0.0, SCATTER if kind == "number" else 1.0, ())
