"""A softmax regression that starts as somebody else's probabilities and learns what to add to them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from river import base

from tracker.learning.remapping import Remapping

Label = base.typing.ClfTarget

_LEAST = 1e-9  # a probability below this is no surer miss
_CREDIT = 5.0  # nats: whichever was right so far keeps no more than 99.3 % of the say, and may lose it again


class ResidualSoftmax(base.Classifier):
    """Softmax regression on the residual of given log-probabilities, for few, soft, weighted labels.

    Two estimates of the same given probabilities p (features ``log_p=k``, their logarithm, 0 where absent) are
    mixed. One is ``p T``: T is what the person means by each class (`Remapping`). The other asks what situations
    do: its logit of class k is ``log p_k + clip(W_k . x)``, with every other feature in ``x``. Their
    shares follow from how well each foretold the answers so far (Bayesian model averaging, its log-odds held
    within 5 nats), so that whichever is the wrong idea of a person costs little. Without `trust`, or where a class has
    no ``log_p``, the second alone is the answer.

    W starts at zero and T at the identity, so an untrained one *is* the given distribution. Each call to
    `learn_one` takes one gradient step on the cross-entropy to a soft label, plus L2 towards zero, that is,
    towards the given distribution, and counts in T.

    Some things keep one answer from doing harm. The clip bounds how far all answers together can move
    the odds by W, and the trust how fast T may change. For a class where the pull of L2 would outweigh
    the step, L2 is left out, so that learning "this was k" never makes k less likely at the same x:
    T, W and the shares of the two estimates each see to it.

    Parameters
    ----------
    rate
        Size of the first step. A larger one adapts in fewer answers and trusts each of them more.
    settling
        Step n is ``rate / n^settling``.
    l2
        Pull towards the given distribution, per unit of sample weight.
    bound
        Largest absolute residual of one logit. 4 lets the odds of two classes move by e^8.
    trust
        How many answers weigh as much as the given distribution in T (`Remapping`); None leaves T out.
    leak
        See `Remapping`.
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
        rate: float = 0.1,
        settling: float = 0.0,
        l2: float = 0.0,
        bound: float = 4.0,
        trust: float | None = None,
        leak: float = 0.1,
        classes: tuple[str, ...] | None = None,
        offset_prefix: str = "log_p=",
    ) -> None:
        self.rate = rate
        self.settling = settling
        self.l2 = l2
        self.bound = bound
        self.trust = trust
        self.leak = leak
        self.classes = classes
        self.offset_prefix = offset_prefix
        self.steps = 0
        self.credit = 0.0
        self.labels: dict[Label, str] = {k: f"{offset_prefix}{k}" for k in classes or ()}
        self.weights: dict[Hashable, list[float]] = {}
        self.remapping = None if trust is None else Remapping(trust, leak)

    @property
    def _multiclass(self) -> bool:
        return True

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[Label, float]:
        """Give each known class its probability at `x`; empty while no class is known."""
        offsets, rest = self._split(x)
        start, residual = self._experts(offsets, self._reading(offsets), self._raw(rest))
        return dict(zip(self.labels, self._mixed(start, residual), strict=True))

    def learn_one(self, x: dict[Hashable, Any], y: Label | Mapping[Label, float], w: float = 1.0) -> None:
        """Take one step towards a label, or a distribution over labels, that weighs `w` >= 0."""
        target: Mapping[Label, float] = y if isinstance(y, Mapping) else {y: 1.0}
        for new in target.keys() - self.labels.keys():
            self.labels[new] = f"{self.offset_prefix}{new}"
            for column in self.weights.values():
                column.append(0.0)
        if w == 0:
            return
        offsets, rest = self._split(x)
        reading, raw = self._reading(offsets), self._raw(rest)
        start, residual = self._experts(offsets, reading, raw)
        said = [target.get(k, 0.0) for k in self.labels]
        self._step(rest, raw, [p - t for p, t in zip(residual, said, strict=True)], w)
        if reading is not None and start is not None and self.remapping is not None:
            gain = math.fsum(
                t * math.log(max(r, _LEAST) / max(s, _LEAST))
                for t, s, r in zip(said, start, residual, strict=True)
                if t
            )
            self.credit = min(max(self.credit + w * gain, -_CREDIT), _CREDIT)
            self.remapping.learn(reading, said, w)

    def _step(self, x: Mapping[Hashable, Any], raw: list[float], errors: list[float], w: float) -> None:
        self.steps += 1
        size = w * self.rate / self.steps**self.settling
        square = math.fsum([v * v for v in x.values()])
        bound, l2 = self.bound, self.l2
        moves, keeps = [], []
        for r, error in zip(raw, errors, strict=True):
            saturated = abs(r) >= bound and (error > 0) == (r < 0)
            moves.append(0.0 if saturated else size * error)
            # The gradient along x with L2 is error |x|^2 + l2 r: where its sign turns, L2 is left out.
            pulled = not saturated and error != 0 and (error * square + l2 * r) * error >= 0
            keeps.append(1.0 - size * l2 if pulled else 1.0)
        none = [0.0] * len(raw)
        for i, v in x.items():
            column = self.weights.get(i, none)
            self.weights[i] = [k * weight - m * v for k, weight, m in zip(keeps, column, moves, strict=True)]

    def _split(self, x: Mapping[Hashable, Any]) -> tuple[dict[Hashable, Any], dict[Hashable, Any]]:
        offsets: dict[Hashable, Any] = {}
        rest: dict[Hashable, Any] = {}
        for i, v in x.items():
            (offsets if str(i).startswith(self.offset_prefix) else rest)[i] = v
        return offsets, rest

    def _reading(self, offsets: Mapping[Hashable, Any]) -> list[float] | None:
        if self.remapping is None or not all(name in offsets for name in self.labels.values()):
            return None
        return [math.exp(offsets[name]) for name in self.labels.values()]

    def _raw(self, x: Mapping[Hashable, Any]) -> list[float]:
        columns = [[v * w for w in self.weights[i]] for i, v in x.items() if i in self.weights]
        if not columns:
            return [0.0] * len(self.labels)
        # fsum rounds once, so the order of the features cannot change a bit of the result.
        return list(map(math.fsum, zip(*columns, strict=True)))

    def _experts(
        self, offsets: Mapping[Hashable, Any], reading: list[float] | None, raw: list[float]
    ) -> tuple[list[float] | None, list[float]]:
        if not raw:
            return None, []
        start = None if reading is None or self.remapping is None else self.remapping.apply(reading)
        given = [offsets.get(name, 0.0) for name in self.labels.values()]
        bound = self.bound
        logits = [o + min(max(r, -bound), bound) for o, r in zip(given, raw, strict=True)]
        top = max(logits)
        shares = [math.exp(v - top) for v in logits]
        total = math.fsum(shares)
        return start, [v / total for v in shares]

    def _mixed(self, start: list[float] | None, residual: list[float]) -> list[float]:
        if start is None:
            return residual
        share = 1.0 / (1.0 + math.exp(-self.credit))
        return [share * r + (1.0 - share) * s for s, r in zip(start, residual, strict=True)]
