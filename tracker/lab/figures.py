"""The figures of one file of weights, kept beside it: PrivateTest is read once, then remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.fer.calibration import Bin, calibrate, log_softmax, reliability
from tracker.fer.engine import Engine, Logits
from tracker.lab.datasets import SPLITS, LabelledFaces
from tracker.lab.evaluation import ClassScore, Evaluation, judge, read_logits
from tracker.lab.robustness import Robustness, robustness
from tracker.lab.truth import truth

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """One head on one split, before and after its temperature.

    Attributes
    ----------
    selection
        ``all`` or ``without near duplicates``.
    """

    split: str
    head: str
    selection: str
    calibrated: Evaluation
    uncalibrated: Evaluation
    bins_before: tuple[Bin, ...]
    bins_after: tuple[Bin, ...]


@dataclass(frozen=True)
class Figures:
    """Everything measured about one file of weights.

    Attributes
    ----------
    sha256
        Of the weights.
    training
        How far the training ran, in words.
    final
        Whether it ran to its end; only then is PrivateTest read.
    private_test_on
        The day PrivateTest was read, or empty.
    judged, robustness
        Figures by split and head; and on spoilt PublicTest faces.
    balance
        Training faces by head and class.
    """

    sha256: str
    training: str
    final: bool
    private_test_on: str
    judged: tuple[Judged, ...]
    robustness: tuple[Robustness, ...]
    balance: dict[str, dict[str, int]]

    def of(self, split: str, head: str, selection: str = "all") -> Judged | None:
        """Return one judgement, if it was made."""
        for judged in self.judged:
            if (judged.split, judged.head, judged.selection) == (split, head, selection):
                return judged
        return None


def measure(
    engine: Engine,
    faces: LabelledFaces,
    *,
    training: str,
    final: bool,
    today: date,
    near_duplicates: Mask | None = None,
    known: Figures | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Judge on PublicTest and, for final weights that were never judged there, once on PrivateTest.

    Parameters
    ----------
    engine
        Runs the network, with its temperatures.
    faces
        All splits.
    training, final
        See `Figures`.
    today
        Remembered as the day when PrivateTest was read.
    near_duplicates
        Mask (N,) over `faces`.
    known
        Earlier figures of the same weights; PrivateTest and spoilt faces are taken over from them.
    report
        Told what is being done.
    """
    report("PublicTest")
    judged = _split(engine, faces, "PublicTest", near_duplicates)
    private_on = known.private_test_on if known else ""
    if known is not None and private_on:
        judged += tuple(j for j in known.judged if j.split == "PrivateTest")
    elif final:
        report("PrivateTest, once")
        judged += _split(engine, faces, "PrivateTest", near_duplicates)
        private_on = today.isoformat()
    spoilt = known.robustness if known else ()
    if final and not spoilt:
        spoilt = robustness(engine, faces.of("PublicTest"), report)
    return Figures(
        engine.network.entry.sha256, training, final, private_on, judged, spoilt, _balance(engine, faces)
    )


def read_figures(path: Path, sha256: str) -> Figures | None:
    """Return the figures kept at a path if they are those of the given weights."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept.get("sha256") != sha256:
        return None
    kept["judged"] = tuple(_judged(j) for j in kept["judged"])
    kept["robustness"] = tuple(Robustness(**r) for r in kept["robustness"])
    return Figures(**kept)


def write_figures(path: Path, figures: Figures) -> None:
    """Keep figures as JSON."""
    path.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")


def _split(engine: Engine, faces: LabelledFaces, split: str, near: Mask | None) -> tuple[Judged, ...]:
    rows = faces.split == SPLITS.index(split)
    selections = {"all": rows}
    if near is not None:
        selections["without near duplicates"] = rows & ~near
    logits = read_logits(engine, faces.where(rows))
    found = []
    for selection, chosen in selections.items():
        part = {name: z[chosen[rows]] for name, z in logits.items()}
        for head in engine.network.spec.heads:
            found.append(_head(engine, faces.where(chosen), part, split, head.name, selection))
    return tuple(found)


def _head(
    engine: Engine, faces: LabelledFaces, logits: Logits, split: str, name: str, selection: str
) -> Judged:
    head = engine.network.spec.head(name)
    rows, labels = truth(faces, name, head.classes)
    z = logits[name][rows]
    return Judged(
        split,
        name,
        selection,
        judge(engine, faces, logits, name),
        judge(engine, faces, logits, name, calibrated=False),
        reliability(np.exp(log_softmax(z)), labels),
        reliability(np.exp(calibrate(z, head.temperature, head.smoothing)), labels),
    )


def _balance(engine: Engine, faces: LabelledFaces) -> dict[str, dict[str, int]]:
    training = faces.of("Training")
    found = {}
    for head in engine.network.spec.heads:
        _, labels = truth(training, head.name, head.classes)
        counts = np.bincount(labels, minlength=len(head.classes))
        found[head.name] = {name: int(n) for name, n in zip(head.classes, counts, strict=True)}
    return found


def _judged(kept: dict[str, Any]) -> Judged:
    for key in ("calibrated", "uncalibrated"):
        kept[key] = _evaluation(kept[key])
    for key in ("bins_before", "bins_after"):
        kept[key] = tuple(Bin(**b) for b in kept[key])
    return Judged(**kept)


def _evaluation(kept: dict[str, Any]) -> Evaluation:
    kept["classes"] = tuple(kept["classes"])
    kept["per_class"] = {name: ClassScore(**values) for name, values in kept["per_class"].items()}
    kept["confusion"] = tuple(tuple(row) for row in kept["confusion"])
    kept["intervals"] = {name: (low, high) for name, (low, high) in kept["intervals"].items()}
    return Evaluation(**kept)
