"""The river pipeline behind a person's emotion learner, and the settings that were chosen for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from river import compose, linear_model, optim, preprocessing

from tracker.domain.affect import EMOTIONS
from tracker.learning.features import LOG_P
from tracker.learning.residual_softmax import ResidualSoftmax


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes an emotion learner; the defaults were chosen as `docs/learning.md` tells.

    Parameters
    ----------
    rate
        Size of the first step. Features have unit length, so one correction of weight 1 moves no
        logit by more than this, up or down.
    settling
        Step n is ``rate / n^settling``: 0 never settles; more trusts early corrections, when little is
        known, more than late ones. A nightly rebase replays 30 days, so it never settles for good.
    l2
        Pull back towards the network at each correction.
    bound
        Largest residual of a logit, in nats: how far all corrections together may overrule the network.
    """

    rate: float = 1.5
    settling: float = 0.25
    l2: float = 0.003
    bound: float = 3.0


def offsets(x: Mapping[str, float]) -> dict[str, float]:
    """Keep the log-probabilities alone; none where nothing was read, which means uniform.

    (River's `Select` insists on every key, and walks them in an order that changes between processes.)
    """
    return {name: value for name, value in x.items() if name.startswith(LOG_P)}


def shares(x: Mapping[str, float]) -> dict[str, float]:
    """Add the network's probabilities (``p=...``) to the context, so that its habits can be learned.

    Probabilities rather than their logarithms, because the learner's question is "when it says
    sadness, what is it?": a certain reading weighs 1, and the noise near zero weighs nothing.

    Examples
    --------
    >>> shares({"log_p=anger": 0.0, "read": 1.0})
    {'p=anger': 1.0, 'read': 1.0}
    """
    return {
        f"p={name.removeprefix(LOG_P)}" if name.startswith(LOG_P) else name: (
            math.exp(value) if name.startswith(LOG_P) else value
        )
        for name, value in x.items()
    }


def build(settings: Settings) -> compose.Pipeline:
    """Build an untrained pipeline: ``(log_p untouched + unit-length rest) | ResidualSoftmax``.

    Unit length (river's `Normalizer`) bounds the step however many context fields a study has, and
    unlike a running `StandardScaler` it keeps no state, so an early correction means the same later.
    """
    unit_length = preprocessing.Normalizer()  # type: ignore[no-untyped-call]
    return compose.Pipeline(
        compose.TransformerUnion(
            ("offsets", compose.FuncTransformer(offsets)),
            ("rest", compose.Pipeline(("shares", compose.FuncTransformer(shares)), unit_length)),
        ),
        (
            "residual",
            ResidualSoftmax(
                optimizer=optim.SGD(optim.schedulers.InverseScaling(settings.rate, settings.settling)),
                l2=settings.l2,
                bound=settings.bound,
                classes=tuple(emotion.value for emotion in EMOTIONS),
            ),
        ),
    )


def bare() -> compose.Pipeline:
    """Build the standard pipeline of river's own parts, to compare with: it starts from nothing."""
    return compose.Pipeline(preprocessing.StandardScaler(), linear_model.SoftmaxRegression(optim.SGD(0.1)))
