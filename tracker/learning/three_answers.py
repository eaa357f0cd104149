"""Yes, no, or "either is fine": two regressions of one person, which are mirror images until somebody says either."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from river import base

from tracker.learning.personal_regression import (
    HALF_LIFE_DAYS,
    INTERCEPT_PULL,
    PULL,
    PersonalLogistic,
)
from tracker.learning.prior import Prior, no_prior
from tracker.learning.prior_fitting import plain_yes

YES, EITHER, NO = "yes", "either", "no"


class ThreeAnswers(base.Classifier):
    """How likely a plain yes, a plain no, and an "either" are for one person at a moment.

    A decision is wrong only where the plain opposite was meant, so what counts is the chance of *that*, and not on
    which side of a cut an answer falls. With two answers alone, no is what is left of yes, and this is
    `PersonalLogistic`; the second regression begins as its mirror image with the first "either".

    Parameters
    ----------
    prior, pull, intercept_pull, half_life
        As for `PersonalLogistic`.

    Examples
    --------
    >>> model = ThreeAnswers(pull=1.0)
    >>> for day in range(9):
    ...     model.learn_one({"at": float(day), "now:tired": 1.0}, (1.0, 0.5, 0.5)[day % 3])
    >>> chances = model.predict_proba_one({"now:tired": 1.0})
    >>> chances["either"] > chances["yes"] > chances["no"]
    True
    """

    def __init__(
        self,
        prior: Prior | None = None,
        pull: float = PULL,
        intercept_pull: float = INTERCEPT_PULL,
        half_life: float = HALF_LIFE_DAYS,
    ) -> None:
        self.prior = no_prior("yes_no") if prior is None else prior
        self.pull, self.intercept_pull, self.half_life = pull, intercept_pull, half_life
        self._yes = PersonalLogistic(self.prior, pull, intercept_pull, half_life)
        self._no: PersonalLogistic | None = None
        if self.prior.three_answers:
            self._no = PersonalLogistic(self.prior.turned(), pull, intercept_pull, half_life)

    @property
    def learned(self) -> int:
        """How many answers were learned."""
        return self._yes.learned

    @property
    def weights(self) -> dict[str, float]:
        """What moves a plain yes, by feature."""
        return self._yes.weights

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:
        """The chances of a plain yes, of "either", and of a plain no at scaled features."""
        yes = self._yes.predict_proba_one(x)[True]
        if self._no is None:
            return {YES: yes, EITHER: 0.0, NO: 1.0 - yes}
        no = self._no.predict_proba_one(x)[True]
        total = max(yes + no, 1.0)
        return {YES: yes / total, EITHER: max(0.0, 1.0 - yes - no), NO: no / total}

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.ClfTarget | float, w: float = 1.0) -> None:
        """Take in an answer: the share of yes, 0.5 for "either"; it weighs `w`."""
        if w <= 0:
            return
        share = float(y)
        if 0.0 < share < 1.0 and self._no is None:
            self._no = self._mirror()
        self._yes.learn_one(x, _plain(share), w)
        if self._no is not None:
            self._no.learn_one(x, _plain(1.0 - share), w)

    def freeze(self) -> dict[str, Any]:
        """Plain JSON of everything that was learned, the prior aside."""
        return {YES: self._yes.freeze(), NO: None if self._no is None else self._no.freeze()}

    def thaw(self, frozen: Mapping[str, Any]) -> None:
        """Take over what `freeze` gave, on the same prior.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it does not fit.
        """
        self._yes.thaw(frozen[YES])
        if frozen[NO] is None:
            self._no = None
            return
        self._no = PersonalLogistic(self.prior.turned(), self.pull, self.intercept_pull, self.half_life)
        self._no.thaw(frozen[NO])

    def _mirror(self) -> PersonalLogistic:
        no = PersonalLogistic(self.prior.turned(), self.pull, self.intercept_pull, self.half_life)
        no.mirror(self._yes)
        return no


def _plain(share: float) -> float:
    return float(plain_yes(np.array([share]))[0])
