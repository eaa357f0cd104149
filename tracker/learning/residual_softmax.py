"""A softmax regression that starts as somebody else's probabilities and learns what to add to them."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import Any

from river import base, optim

Label = base.typing.ClfTarget


class ResidualSoftmax(base.Classifier):
    """Softmax regression on the residual of given log-probabilities, for few, soft, weighted labels.

    The logit of class k is ``log p_k + clip(W_k . x)``: ``log p_k`` is the feature ``log_p=k`` (0 where
    absent) and is never learned from; ``x`` is every other feature. W starts at zero, so an untrained
    one *is* the given distribution. Each call to `learn_one` takes one gradient step on the
    cross-entropy to a soft label, plus L2 towards zero, that is, towards the given distribution.

    Two things keep one answer from doing harm. The clip bounds how far all answers together can move
    the odds. And for a class where the pull of L2 would outweigh the step, L2 is left out, so that
    learning "this was k" never makes k less likely at the same x.

    Parameters
    ----------
    optimizer
        A river optimizer; `optim.SGD(0.1)` when None. A larger rate adapts in fewer answers and
        trusts each of them more. The guarantees above are for optimizers that scale the gradient by
        positive numbers (SGD, AdaGrad); momentum breaks them.
    l2
        Pull towards the given distribution, per unit of sample weight.
    bound
        Largest absolute residual of one logit. 4 lets the odds of two classes move by e^8.
    classes
        Labels that are always answered for, seen or not; none when None.
    offset_prefix
        What the names of the log-probability features start with.

    Examples
    --------
    >>> model = ResidualSoftmax(classes=("calm", "sad"))
    >>> x = {"log_p=calm": math.log(0.3), "log_p=sad": math.log(0.7), "read": 1.0}
    >>> {k: round(p, 6) for k, p in model.predict_proba_one(x).items()}
    {'calm': 0.3, 'sad': 0.7}
    >>> for _ in range(20):
    ...     model.learn_one(x, {"calm": 1.0})
    >>> model.predict_one(x)
    'calm'

    References
    ----------
    River's `linear_model.SoftmaxRegression` takes neither soft labels nor weights nor an offset; the
    offset is that of a generalised linear model (McCullagh & Nelder 1989, section 2.2).
    """

    def __init__(
        self,
        optimizer: optim.base.Optimizer | None = None,
        l2: float = 0.0,
        bound: float = 4.0,
        classes: tuple[str, ...] | None = None,
        offset_prefix: str = "log_p=",
    ) -> None:
        self.optimizer = optim.SGD(0.1) if optimizer is None else optimizer
        self.l2 = l2
        self.bound = bound
        self.classes = classes
        self.offset_prefix = offset_prefix
        self.weights: dict[Any, float] = defaultdict(float)
        self.labels: dict[Label, None] = dict.fromkeys(classes or ())
        self._stepper = copy.deepcopy(self.optimizer)

    @property
    def _multiclass(self) -> bool:
        return True

    @property
    def steps(self) -> int:
        """How many steps were taken: what a learning rate that settles depends on."""
        return self._stepper.n_iterations

    @steps.setter
    def steps(self, count: int) -> None:
        self._stepper.n_iterations = count

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[Label, float]:
        """Give each known class its probability at `x`; empty while no class is known."""
        offsets, rest = self._split(x)
        residuals = {k: self._residual(k, rest) for k in self.labels}
        return self._softmax(offsets, residuals)

    def learn_one(self, x: dict[Hashable, Any], y: Label | Mapping[Label, float], w: float = 1.0) -> None:
        """Take one step towards a label, or a distribution over labels, that weighs `w` >= 0."""
        target: Mapping[Label, float] = y if isinstance(y, Mapping) else {y: 1.0}
        self.labels.update(dict.fromkeys(target))
        if w == 0:
            return
        offsets, rest = self._split(x)
        residuals = {k: self._residual(k, rest) for k in self.labels}
        predicted = self._softmax(offsets, residuals)
        gradient: dict[Hashable, Any] = {}
        for k, p in predicted.items():
            error = p - target.get(k, 0.0)
            saturated = abs(residuals[k]) >= self.bound and (error > 0) == (residuals[k] < 0)
            if error and not saturated:
                gradient.update(self._class_gradient(k, rest, error, w))
        self._stepper.step(w=self.weights, g=gradient)

    def _class_gradient(
        self, k: Label, x: Mapping[Hashable, Any], error: float, w: float
    ) -> dict[Hashable, Any]:
        plain: dict[Hashable, Any] = {(k, i): w * error * v for i, v in x.items()}
        if not self.l2:
            return plain
        pulled: dict[Hashable, Any] = {
            key: g + w * self.l2 * self.weights.get(key, 0.0) for key, g in plain.items()
        }
        along = math.fsum(pulled[k, i] * v for i, v in x.items())
        return pulled if along * error >= 0 else plain

    def _split(self, x: Mapping[Hashable, Any]) -> tuple[dict[Hashable, Any], dict[Hashable, Any]]:
        offsets = {i: v for i, v in x.items() if str(i).startswith(self.offset_prefix)}
        return offsets, {i: v for i, v in x.items() if i not in offsets}

    def _residual(self, k: Label, x: Mapping[Hashable, Any]) -> float:
        # fsum rounds once, so the order of the features cannot change a bit of the result.
        raw = math.fsum(self.weights.get((k, i), 0.0) * v for i, v in x.items())
        return min(max(raw, -self.bound), self.bound)

    def _softmax(
        self, offsets: Mapping[Hashable, Any], residuals: Mapping[Label, float]
    ) -> dict[Label, float]:
        if not residuals:
            return {}
        logits = {k: offsets.get(f"{self.offset_prefix}{k}", 0.0) + r for k, r in residuals.items()}
        top = max(logits.values())
        shares = {k: math.exp(v - top) for k, v in logits.items()}
        total = math.fsum(shares.values())
        return {k: v / total for k, v in shares.items()}
