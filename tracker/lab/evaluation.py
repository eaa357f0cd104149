"""Judge a network on labelled faces: no accuracy without baseline, balance, calibration and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.fer.calibration import (
    Floats,
    calibrate,
    expected_calibration_error,
    log_softmax,
    negative_log_likelihood,
)
from tracker.fer.engine import Engine, Logits
from tracker.lab.datasets import LabelledFaces
from tracker.lab.truth import truth

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one emotion is read; `n` faces have it as label."""

    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a head got right.

    Attributes
    ----------
    n
        Faces judged.
    accuracy, macro_f1
        Share that is right; mean F1 of the classes that occur among labels or answers.
    per_class
        By emotion.
    confusion
        Rows are labels, columns answers, in the order of `classes`.
    ece, nll
        Calibration error over 15 bins of equal mass; mean negative log-likelihood in nats.
    majority
        Accuracy of always answering the commonest label.
    intervals
        95 % bootstrap intervals over images of accuracy, macro_f1, ece and nll; that of ece around the figure, because
        resamples have a larger one.
    """

    head: str
    classes: tuple[str, ...]
    n: int
    accuracy: float
    macro_f1: float
    per_class: Mapping[str, ClassScore]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    nll: float
    majority: float
    intervals: Mapping[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are printed and kept."""
        return asdict(self)


def evaluate(
    engine: Engine,
    faces: LabelledFaces,
    head: str = "ferplus",
    *,
    calibrated: bool = True,
    resamples: int = 1000,
) -> Evaluation:
    """Judge one head of an engine's network on faces.

    Parameters
    ----------
    engine
        Runs the network, as everywhere else.
    faces
        Labelled faces; take one split with `LabelledFaces.of`.
    head
        ``ferplus`` (8 classes) or ``fer2013`` (7).
    calibrated
        Whether the head's temperature and smoothing are applied.
    resamples
        Of the bootstrap; 0 leaves the intervals out.
    """
    return judge(engine, faces, read_logits(engine, faces), head, calibrated=calibrated, resamples=resamples)


def read_logits(engine: Engine, faces: LabelledFaces) -> Logits:
    """Return the logits (N, classes) by head; grey faces go the way that coloured crops go."""
    grey = np.repeat(faces.images[:, :, :, None], 3, axis=3)
    return engine.logits(grey)


def judge(
    engine: Engine,
    faces: LabelledFaces,
    logits: Logits,
    head: str,
    *,
    calibrated: bool = True,
    resamples: int = 1000,
) -> Evaluation:
    """Judge logits that were read before, so that several judgements cost one reading."""
    spec = engine.network.spec.head(head)
    rows, labels = truth(faces, head, spec.classes)
    z = logits[head][rows]
    log_p = calibrate(z, spec.temperature, spec.smoothing) if calibrated else log_softmax(z)
    return score(log_p, labels, spec.classes, head=head, resamples=resamples)


def score(
    log_probabilities: Floats,
    labels: Labels,
    classes: Sequence[str],
    *,
    head: str = "",
    resamples: int = 1000,
    seed: int = 0,
    drawn: Labels | None = None,
) -> Evaluation:
    """Compute every figure from log-probabilities (N, C) and labels (N,).

    Parameters
    ----------
    log_probabilities, labels, classes
        Labels are indices into `classes`, the columns of the log-probabilities.
    head
        Carried along.
    resamples, seed
        Of the bootstrap; 0 resamples leave the intervals out.
    drawn
        (N,) which person, or image, each face is from: the bootstrap draws these, with all their faces. Without it,
        faces. Of a single one no interval is given: it would claim certainty.

    Examples
    --------
    >>> log_p = np.log([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]])
    >>> e = score(log_p, np.array([0, 1, 1, 0]), ["neutral", "fear"], resamples=0)
    >>> e.accuracy, e.confusion, round(e.per_class["fear"].f1, 3), e.majority
    (0.75, ((2, 0), (1, 1)), 0.667, 0.5)
    """
    probabilities = np.exp(log_probabilities)
    answers = probabilities.argmax(axis=1)
    confusion = _confusion(labels, answers, len(classes))
    precision, recall, f1 = _by_class(confusion)
    counts = confusion.sum(axis=1)
    return Evaluation(
        head=head,
        classes=tuple(classes),
        n=len(labels),
        accuracy=float((answers == labels).mean()),
        macro_f1=_macro_f1(confusion),
        per_class={
            name: ClassScore(int(counts[i]), float(precision[i]), float(recall[i]), float(f1[i]))
            for i, name in enumerate(classes)
        },
        confusion=tuple(tuple(int(v) for v in row) for row in confusion),
        ece=expected_calibration_error(probabilities, labels),
        nll=negative_log_likelihood(log_probabilities, labels),
        majority=float(counts.max() / len(labels)),
        intervals=_intervals(log_probabilities, labels, len(classes), resamples, seed, drawn),
    )


def _intervals(
    log_p: Floats, labels: Labels, classes: int, resamples: int, seed: int, drawn: Labels | None
) -> dict[str, tuple[float, float]]:
    if not resamples or len(labels if drawn is None else np.unique(drawn)) < 2:
        return {}
    random = np.random.default_rng(seed)
    probabilities = np.exp(log_p)
    answers = probabilities.argmax(axis=1)
    found: dict[str, list[float]] = {"accuracy": [], "macro_f1": [], "ece": [], "nll": []}
    for rows in _resampled(random, len(labels), resamples, drawn):
        found["accuracy"].append(float((answers[rows] == labels[rows]).mean()))
        found["macro_f1"].append(_macro_f1(_confusion(labels[rows], answers[rows], classes)))
        found["ece"].append(expected_calibration_error(probabilities[rows], labels[rows]))
        found["nll"].append(negative_log_likelihood(log_p[rows], labels[rows]))
    # A face that is drawn twice is one error seen twice: resamples have a larger ECE than the faces, up to twice as
    # large where the network is calibrated, and the figure would lie below its own interval. So they say how far the
    # figure spreads, and not where it lies.
    beyond = float(np.mean(found["ece"])) - expected_calibration_error(probabilities, labels)
    found["ece"] = [max(0.0, value - beyond) for value in found["ece"]]
    return {
        name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name, values in found.items()
    }


def _resampled(
    random: np.random.Generator, n: int, resamples: int, drawn: Labels | None
) -> Iterator[NDArray[np.intp]]:
    """Yield rows with replacement: faces, or whole people with all their faces."""
    if drawn is None:
        for _ in range(resamples):
            yield random.integers(0, n, n)
        return
    _, who, sizes = np.unique(drawn, return_inverse=True, return_counts=True)
    by_person = np.split(np.argsort(who, kind="stable"), np.cumsum(sizes)[:-1])
    for _ in range(resamples):
        yield np.concatenate([by_person[i] for i in random.integers(0, len(by_person), len(by_person))])


def _confusion(labels: Labels, answers: Labels, classes: int) -> Labels:
    return np.bincount(labels * classes + answers, minlength=classes**2).reshape(classes, classes)


def _by_class(confusion: Labels) -> tuple[Floats, Floats, Floats]:
    right = np.diag(confusion).astype(np.float64)
    answered, labelled = confusion.sum(axis=0), confusion.sum(axis=1)
    # A class that nobody has or answers scores 0, not 0/0.
    precision = right / np.maximum(answered, 1)
    recall = right / np.maximum(labelled, 1)
    f1 = 2 * right / np.maximum(answered + labelled, 1)
    return precision, recall, f1


def _macro_f1(confusion: Labels) -> float:
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    return float(_by_class(confusion)[2][occurs].mean())
