"""Judge a network on any data set: read it in batches, meet its classes, and say what was done to the pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.fer.calibration import Floats, calibrate
from tracker.fer.engine import Engine
from tracker.fer.manifest import Head, NetworkSpec
from tracker.lab.datasets.cropping import Cropper
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import UNLABELLED, FaceSet, Groups
from tracker.lab.datasets.loading import BATCH, batches
from tracker.lab.evaluation import Evaluation, score
from tracker.lab.groups import GroupFigures, by_group
from tracker.lab.meeting import Meeting, meet, restrict

NAMED = 20
"""Broken pictures that are named; all are counted."""


@dataclass(frozen=True)
class Reading:
    """What one head said about faces.

    Attributes
    ----------
    rows
        (M,) which faces of the set could be read.
    logits
        (M, C) float32, uncalibrated.
    broken
        What was wrong with the others, by their names.
    """

    rows: NDArray[np.int64]
    logits: NDArray[np.float32]
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """A network's head on a data set.

    Attributes
    ----------
    figures
        See `tracker.lab.evaluation.Evaluation`.
    meeting
        Which classes were judged, and what was left out.
    groups
        By attribute, where the data name groups.
    broken
        Pictures that were skipped, and why.
    drawn
        What the bootstrap drew: people, or images.
    framing
        What was done to the pictures, in a sentence.
    notes
        What should be known about the figures.
    """

    figures: Evaluation
    meeting: Meeting
    groups: Mapping[str, GroupFigures]
    broken: tuple[str, ...]
    drawn: str
    framing: str
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are printed and kept."""
        return {
            **self.figures.as_dict(),
            "groups": {name: group.as_dict() for name, group in self.groups.items()},
            "bootstrap_over": self.drawn,
            "classes_met": asdict(self.meeting)
            | {"probabilities": "renormalised" if self.meeting.only_network else "as the network gives them"},
            "skipped": {"n": len(self.broken), "first": list(self.broken[:NAMED])},
            "framing": self.framing,
            "notes": list(self.notes),
        }


def usual_head(spec: NetworkSpec, kind: str, asked: str | None = None) -> Head:
    """Return the head to judge: the one asked for, else FER2013's for ``fer2013`` data and FER+'s for others.

    A network that has neither is judged by its first.

    Raises
    ------
    tracker.fer.manifest.ZooError
        When there is no head of the name asked for.
    """
    if asked is not None:
        return spec.head(asked)
    by_name = {head.name: head for head in spec.heads}
    wanted = ("fer2013", "ferplus") if kind == "fer2013" else ("ferplus", "fer2013")
    return next((by_name[name] for name in wanted if name in by_name), spec.heads[0])


def read_faces(
    engine: Engine,
    faces: FaceSet,
    rows: NDArray[np.int64],
    cropper: Cropper,
    head: str,
    report: Callable[[float], None] = lambda _: None,
    size: int = BATCH,
) -> Reading:
    """Read one head's logits of the given rows, a batch at a time.

    Parameters
    ----------
    engine
        Runs the network.
    faces, rows
        Which faces; those that cannot be read are skipped and named.
    cropper
        How they are cut.
    head
        The head's name.
    report
        Told the share done, 0 to 1.
    size
        Faces in memory at once.

    Raises
    ------
    DatasetError
        When none can be read.
    """
    kept, logits, broken = list[NDArray[np.int64]](), list[NDArray[np.float32]](), list[str]()
    done = 0
    for batch in batches(faces, rows, cropper, size):
        kept.append(batch.rows)
        logits.append(engine.logits(batch.crops)[head])
        broken += [reason for _, reason in batch.broken]
        done += len(batch.rows) + len(batch.broken)
        report(done / max(1, len(rows)))
    if sum(map(len, kept)) == 0:
        first = f"; the first: {broken[0]}" if broken else ""
        raise DatasetError(f"none of the {len(rows)} faces could be read{first}")
    return Reading(np.concatenate(kept), np.concatenate(logits), tuple(broken))


def judge_faces(
    engine: Engine,
    faces: FaceSet,
    head: Head,
    cropper: Cropper,
    *,
    resamples: int = 1000,
    report: Callable[[float], None] = lambda _: None,
) -> Judgement:
    """Judge one head on all faces of a set; take one split with `FaceSet.of`.

    Only faces with a label that the network knows are read. Probabilities are calibrated as the manifest says, then
    renormalised over the classes that network and data share.

    Parameters
    ----------
    engine
        Runs the network.
    faces
        The data.
    head
        One of the network's heads; see `usual_head`.
    cropper
        How pictures become crops.
    resamples
        Of the bootstrap; 0 leaves the intervals out.
    report
        Told the share done, 0 to 1.

    Raises
    ------
    DatasetError
        When network and data share fewer than two classes, or no face can be read.
    """
    meeting, labels = meet(head.classes, faces.classes, faces.labels)
    wanted = np.flatnonzero(labels != UNLABELLED).astype(np.int64)
    reading = read_faces(engine, faces, wanted, cropper, head.name, report)
    log_p = _probabilities(reading, head, meeting)
    own = labels[reading.rows]
    unit, drawn = faces.drawn()
    known = {name: Groups(g.values, g.codes[reading.rows]) for name, g in faces.groups.items()}
    clusters = drawn[reading.rows] if faces.people is not None or faces.images is not None else None
    figures = score(log_p, own, meeting.classes, head=head.name, resamples=resamples, drawn=clusters)
    groups = by_group(log_p, own, meeting.classes, known, drawn=clusters, resamples=resamples)
    notes = (*meeting.said(), *_skipped(reading, len(wanted)), *faces.notes)
    return Judgement(figures, meeting, groups, reading.broken, unit, cropper.described(faces), notes)


def _probabilities(reading: Reading, head: Head, meeting: Meeting) -> Floats:
    log_p = calibrate(reading.logits, head.temperature, head.smoothing)
    return restrict(log_p, head.classes, meeting.classes)


def _skipped(reading: Reading, wanted: int) -> tuple[str, ...]:
    n = len(reading.broken)
    return (f"{n} of {wanted} pictures could not be read and were skipped.",) if n else ()
