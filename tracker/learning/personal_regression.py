"""River estimators that start as a pooled regression and become one person's own: logistic, and linear."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from river import base

from tracker.learning.histories import AT
from tracker.learning.prior import ABSENT_IS_ZERO, CLIP, MAX_NAMES, Prior, no_prior
from tracker.learning.recursive import FloatArray, RecursiveState

PULL = 40.0
"""How many answers' worth of evidence the prior weighs, for each scaled feature."""

INTERCEPT_PULL = 2.0
"""The same for the intercept: people differ most in how often they say yes."""

PULL_ALONE = 4.0
"""The pull of each feature towards 0 where there is no prior, and features keep their own scales."""

HALF_LIFE_DAYS = 14.0
"""After how many days an answer counts half."""

_LEAST_CURVATURE = 1e-3


class PriorScaler(base.Transformer):
    """Scale features as the prior's people had them: mean 0, standard deviation 1, clipped; others fall away.

    Unlike a running `StandardScaler` it keeps no state, so an early answer means the same later. Without a prior,
    features pass as they are. The feature `at` passes always.

    Examples
    --------
    >>> prior = Prior("yes_no", ("now:tired",), (2.0,), (0.5,), (1.0,), 0.0, 1.0, ())
    >>> PriorScaler(prior).transform_one({"now:tired": 3.0, "now:hungry": 1.0})
    {'now:tired': 2.0}
    """

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        scales = list(zip(prior.names, prior.means, prior.scales, strict=True))
        self._known: dict[Hashable, tuple[float, float]] = {
            name: (mean, scale) for name, mean, scale in scales
        }
        self._absent: dict[Hashable, float] = {
            name: _clip(-mean / scale) for name, mean, scale in scales if name.startswith(ABSENT_IS_ZERO)
        }

    def transform_one(self, x: dict[Hashable, Any]) -> dict[Hashable, Any]:
        """Scale one moment's features."""
        if not self._known:
            return {name: value if name == AT else _clip(value) for name, value in x.items()}
        scaled: dict[Hashable, Any] = dict(self._absent)
        known_of = self._known.get
        for name, value in x.items():
            known = known_of(name)
            if known is not None:
                # `_clip`, without a call for each feature of each answer.
                z = (value - known[0]) / known[1]
                scaled[name] = CLIP if z > CLIP else -CLIP if z < -CLIP else z
        if AT in x:
            scaled[AT] = x[AT]
        return scaled


class _PersonalRegression:
    """What both estimators share: names, the vector of a moment, and the state."""

    def __init__(self, prior: Prior | None, pull: float, intercept_pull: float, half_life: float) -> None:
        self.prior = no_prior("yes_no") if prior is None else prior
        self.pull, self.intercept_pull, self.half_life = pull, intercept_pull, half_life
        self._index: dict[Hashable, int] = {name: i for i, name in enumerate(self.prior.names)}
        self.state = RecursiveState(
            np.array([*self.prior.weights, self.prior.intercept]), self._pulls(len(self._index)), half_life
        )
        self.learned = 0

    @property
    def weights(self) -> dict[str, float]:
        """The weight of every feature as it stands, the intercept under the empty name."""
        values = self.state.weights.tolist()
        return {**dict(zip(map(str, self._index), values, strict=False)), "": values[-1]}

    def _pulls(self, names: int) -> FloatArray:
        pull = self.pull if self.prior.names else min(self.pull, PULL_ALONE)
        return np.array([pull] * names + [self.intercept_pull])

    def _vector(self, x: Mapping[Hashable, Any]) -> FloatArray:
        vector = [0.0] * len(self._index)
        vector.append(1.0)
        place_of = self._index.get
        for name, value in x.items():
            i = place_of(name)
            if i is not None:
                vector[i] = value
        return np.array(vector)

    def _meet(self, x: Mapping[Hashable, Any]) -> None:
        # Without a prior the names are not known beforehand: they join as they are met, in sorted order.
        if self.prior.names or len(self._index) >= MAX_NAMES:
            return
        new = sorted(str(name) for name in x if name != AT and str(name) not in self._index)
        self._join(new[: MAX_NAMES - len(self._index)])

    def _join(self, new: Sequence[str]) -> None:
        if not new:
            return
        old = len(self._index)
        self._index.update((name, old + i) for i, name in enumerate(new))
        size = len(self._index)
        place = np.array([*range(old), size], dtype=np.int64)
        self.state.grow(np.append(np.zeros(size), self.prior.intercept), self._pulls(size), place)

    def mirror(self, other: _PersonalRegression) -> None:
        """Become the mirror image of another over the turned prior: the same answers, each the other way round."""
        self._index = dict(other._index)
        self.state = other.state.mirrored()
        self.learned = other.learned

    def freeze(self) -> dict[str, Any]:
        """Plain JSON of everything that was learned, the prior aside."""
        own = [] if self.prior.names else list(self._index)
        return {"learned": self.learned, "names": own, **self.state.freeze()}

    def thaw(self, frozen: Mapping[str, Any]) -> None:
        """Take over what `freeze` gave, on the same prior.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it does not fit.
        """
        # In the order in which they were met: the state's numbers stand in that order.
        names = [str(name) for name in frozen["names"]]
        if len(set(names)) < len(names) or len(names) > MAX_NAMES or (names and self.prior.names):
            raise ValueError(f"{len(names)} names of its own, not all of them possible")
        self._join(names)
        self.state.thaw(frozen)
        self.learned = int(frozen["learned"])
        if self.learned < 0:
            raise ValueError(f"{self.learned} answers learned")


class PersonalLogistic(_PersonalRegression, base.Classifier):
    """Logistic regression for one person, shrunk to pooled weights, forgetting towards them.

    Parameters
    ----------
    prior
        Where it starts and what it is pulled to; None starts from nothing and meets its features one by one.
    pull, intercept_pull
        Prior precisions: more trusts other people longer. Without a prior at most `PULL_ALONE`.
    half_life
        Days after which an answer counts half; `math.inf` never forgets.

    Examples
    --------
    >>> model = PersonalLogistic(pull=1.0)
    >>> model.predict_proba_one({"now:tired": 1.0})[True]
    0.5
    >>> for day in range(8):
    ...     model.learn_one({"at": float(day), "now:tired": 1.0}, True)
    ...     model.learn_one({"at": float(day), "now:tired": -1.0}, False)
    >>> model.predict_one({"now:tired": 1.0}), model.predict_one({"now:tired": -1.0})
    (True, False)
    """

    def __init__(
        self,
        prior: Prior | None = None,
        pull: float = PULL,
        intercept_pull: float = INTERCEPT_PULL,
        half_life: float = HALF_LIFE_DAYS,
    ) -> None:
        super().__init__(prior, pull, intercept_pull, half_life)

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:
        """The probabilities of False and True at scaled features.

        Averaged over what is not known of the weights (the probit approximation of MacKay 1992, Neural Computation 4):
        early on, and where this person was never seen, it is less sure than the best weights alone would be. That
        ranks moments by how far they can be trusted, across people too.
        """
        mean, variance = self.state.at(self._vector(x))
        p = _sigmoid(mean / math.sqrt(1.0 + math.pi / 8.0 * variance))
        return {False: 1.0 - p, True: p}

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.ClfTarget | float, w: float = 1.0) -> None:
        """Take in an answer: True, False, or a share of yes; it weighs `w`."""
        if w <= 0:
            return
        self._meet(x)
        share = float(y)

        def linearise(eta: float) -> tuple[float, float]:
            p = _sigmoid(eta)
            curvature = max(w * p * (1.0 - p), _LEAST_CURVATURE)
            return curvature, curvature * eta + w * (share - p)

        self.state.absorb(self._vector(x), float(x.get(AT, 0.0)), linearise)
        self.learned += 1


class PersonalLinear(_PersonalRegression, base.Regressor):
    """Linear regression for one person, shrunk to pooled weights, forgetting towards them.

    Parameters
    ----------
    prior, pull, intercept_pull, half_life
        As for `PersonalLogistic`; precisions count in answers.

    Examples
    --------
    >>> model = PersonalLinear(pull=1.0)
    >>> for day in range(20):
    ...     model.learn_one({"at": float(day), "now:smile": 1.0}, 0.8)
    ...     model.learn_one({"at": float(day), "now:smile": -1.0}, -0.4)
    >>> model.predict_one({"now:smile": 1.0}) > 0.5
    True
    """

    def __init__(
        self,
        prior: Prior | None = None,
        pull: float = PULL,
        intercept_pull: float = INTERCEPT_PULL,
        half_life: float = HALF_LIFE_DAYS,
    ) -> None:
        super().__init__(prior, pull, intercept_pull, half_life)

    def predict_one(self, x: dict[Hashable, Any]) -> base.typing.RegTarget:
        """The expected number at scaled features."""
        return self.state.at(self._vector(x))[0]

    def spread_one(self, x: dict[Hashable, Any]) -> float:
        """Standard deviation of a new answer at scaled features: noise, and what is not known of the weights."""
        return self.answer_one(x)[1]

    def answer_one(self, x: dict[Hashable, Any]) -> tuple[float, float]:
        """What `predict_one` and `spread_one` say, at once."""
        mean, variance = self.state.at(self._vector(x))
        return mean, self.prior.noise * math.sqrt(1.0 + variance)

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.RegTarget, w: float = 1.0) -> None:
        """Take in a number; it weighs `w`."""
        if w <= 0:
            return
        self._meet(x)
        self.state.absorb(self._vector(x), float(x.get(AT, 0.0)), lambda _: (w, w * float(y)))
        self.learned += 1


def _clip(value: float) -> float:
    return min(max(value, -CLIP), CLIP)


def _sigmoid(eta: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(eta, -30.0), 30.0)))
