"""Read the real faces by the shipped default network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker import shipped
from tracker.domain.affect import EMOTIONS
from tracker.fer.calibration import calibrate
from tracker.fer.engine import Engine
from tracker.fer.zoo import Zoo
from tracker.lab.datasets import read_ferplus
from tracker.lab.emotion_challenge.faces import Faces, Stages
from tracker.lab.truth import truth

SPLIT = "PublicTest"
HEAD = "ferplus"
BATCH = 256


def read_faces(data: Path, progress: Stages = lambda _stage, _share: None) -> Faces:
    """Read the PublicTest faces of a folder with FER2013's and FER+'s CSVs, by the shipped default network.

    Faces that most voters found to be unknown or no face are left out.

    Parameters
    ----------
    data
        Holds ``fer2013.csv`` and ``fer2013new.csv``.
    progress
        Called with the step that runs and the share of it, 0 to 1, that is done.

    Raises
    ------
    DatasetError
        When the files are missing or damaged.
    """
    progress(f"reading {data}", 0.0)
    faces = read_ferplus(data).of(SPLIT)
    network = Zoo(shipped.models(), data).load("default")
    spec = network.spec.head(HEAD)
    rows, shown = truth(faces, HEAD, spec.classes)
    faces = faces.where(rows)
    engine = Engine(network, "cpu")
    logits = []
    for start in range(0, len(faces), BATCH):
        progress("the network reads real faces", start / len(faces))
        grey = faces.images[start : start + BATCH]
        logits.append(engine.logits(np.repeat(grey[:, :, :, None], 3, axis=3))[HEAD])
    log_p = calibrate(np.concatenate(logits), spec.temperature, spec.smoothing)
    order = [spec.classes.index(e.value) for e in EMOTIONS]
    place = np.argsort(order)
    return Faces(log_p[:, order], place[shown], faces.votes[:, : len(EMOTIONS)], network.id)
