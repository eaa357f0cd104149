"""The river pipeline behind a person's emotion learner, and the settings that were chosen for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker.domain.affect import EMOTIONS
from tracker.learning.features import LOG_P
from tracker.learning.residual_softmax import ResidualSoftmax

if TYPE_CHECKING:  # river loads pandas and SciPy: two seconds that only whoever learns waits for
    from river import compose


@dataclass(frozen=True, slots=True)
class Settings:
    """What shapes an emotion learner; the defaults were chosen as `docs/learning-emotion.md` tells.

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
        Largest residual of a logit, in nats: how far clock, context and habit may shift what the face says.
    trust
        How many corrections weigh as much as the network in saying what each emotion it reads means in this
        person.
    leak
        How ready to believe that a clear reading means something else in this person (`Remapping`).
    """

    rate: float = 1.5
    settling: float = 0.25
    l2: float = 0.003
    bound: float = 3.0
    trust: float = 2.5
    leak: float = 0.05


def offsets(x: Mapping[str, float]) -> dict[str, float]:
    """Keep the log-probabilities alone; none where nothing was read, which means uniform.

    (River's `Select` insists on every key, and walks them in an order that changes between processes.)
    """
    return {name: value for name, value in x.items() if name.startswith(LOG_P)}


def situation(x: Mapping[str, float]) -> dict[str, float]:
    """Keep everything but the log-probabilities: clock, context, and whether a face was read.

    Examples
    --------
    >>> situation({"log_p=anger": 0.0, "read": 1.0})
    {'read': 1.0}
    """
    return {name: value for name, value in x.items() if not name.startswith(LOG_P)}


def build(settings: Settings) -> compose.Pipeline:
    """Build an untrained pipeline: ``(log_p untouched + unit-length rest) | ResidualSoftmax``.

    Unit length (river's `Normalizer`) bounds the step however many context fields a study has, and
    unlike a running `StandardScaler` it keeps no state, so an early correction means the same later.
    """
    from river import compose, preprocessing  # noqa: PLC0415 - loads pandas and SciPy

    unit_length = preprocessing.Normalizer()  # type: ignore[no-untyped-call]
    return compose.Pipeline(
        compose.TransformerUnion(
            ("offsets", compose.FuncTransformer(offsets)),
            ("rest", compose.Pipeline(("situation", compose.FuncTransformer(situation)), unit_length)),
        ),
        (
            "residual",
            ResidualSoftmax(
                rate=settings.rate,
                settling=settings.settling,
                l2=settings.l2,
                bound=settings.bound,
                trust=settings.trust,
                leak=settings.leak,
                classes=tuple(emotion.value for emotion in EMOTIONS),
            ),
        ),
    )


def bare() -> compose.Pipeline:
    """Build the standard pipeline of river's own parts, to compare with: it starts from nothing."""
    from river import compose, linear_model, optim, preprocessing  # noqa: PLC0415 - loads pandas and SciPy

    return compose.Pipeline(preprocessing.StandardScaler(), linear_model.SoftmaxRegression(optim.SGD(0.1)))
