"""The network that ships: what the manifest says about it is true of the file that lies beside it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tracker import shipped
from tracker.domain.affect import EMOTIONS
from tracker.fer.calibration import expected_calibration_error
from tracker.fer.engine import Engine
from tracker.fer.preprocess import standardise, to_grey
from tracker.fer.zoo import Zoo
from tracker.lab.datasets import FER2013_CLASSES, LabelledFaces
from tracker.lab.evaluation import judge, read_logits

FACES = shipped.models().parents[1] / "shared" / "fer2013"
needs_faces = pytest.mark.skipif(
    not FACES.is_dir(),
    reason="FER2013 is not there: the shipped network's figures on real faces are not tested",
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Zoo(shipped.models(), Path("nowhere")).load("default"), "cpu")


@pytest.fixture(scope="module")
def faces() -> LabelledFaces:
    """The first 500 faces of PublicTest."""
    table = np.load(FACES / "labels.npz")
    first = int(np.flatnonzero(table["usage"] == 1)[0])
    sheet = cv2.imread(str(FACES / f"images_{first // 2500:02d}.webp"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    images = sheet.reshape(50, 48, 50, 48).transpose(0, 2, 1, 3).reshape(-1, 48, 48)[first % 2500 :][:500]
    rows = slice(first, first + len(images))
    labels, votes, split = (table[k][rows].astype(np.int64) for k in ("label", "ferplus_votes", "usage"))
    return LabelledFaces(images.astype(np.uint8), labels, votes, split)


def test_everything_that_ships_is_what_the_manifest_says() -> None:
    zoo = Zoo(shipped.models(), Path("nowhere"))
    ships = {found.entry.name for found in zoo.list() if not found.entry.url}
    assert "default" in ships
    assert {v.name: v.state for v in zoo.verify()} == {
        found.entry.name: "ok" if found.entry.name in ships else "absent" for found in zoo.list()
    }
    assert zoo.entry("default").size < 10_000_000
    for found in zoo.list():
        assert found.entry.licence
        assert found.entry.terms
        assert not found.entry.card or (shipped.models() / found.entry.card).is_file()


def test_the_class_orders_are_the_known_ones(engine: Engine) -> None:
    assert engine.network.spec.head("ferplus").classes == tuple(e.value for e in EMOTIONS)
    assert engine.network.spec.head("fer2013").classes == FER2013_CLASSES


def test_folding_changes_nothing_that_matters(engine: Engine) -> None:
    x = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 3), dtype=np.uint8)
    with torch.inference_mode():
        bare = engine.network.module(standardise(to_grey(torch.from_numpy(x))))
    for name, z in engine.logits(x).items():
        assert np.abs(z - bare[name].numpy()).max() < 1e-4


@needs_faces
def test_no_two_classes_are_swapped(engine: Engine, faces: LabelledFaces) -> None:
    logits = read_logits(engine, faces)
    for head in ("ferplus", "fer2013"):
        confusion = np.array(judge(engine, faces, logits, head, resamples=0).confusion)
        # Of contempt and disgust these 500 faces hold a handful: one error either way would decide.
        common = np.flatnonzero(confusion.sum(axis=1) >= 10)
        assert len(common) >= 6
        for a in common:
            for b in common[common < a]:
                kept = confusion[a, a] + confusion[b, b]
                assert kept >= confusion[a, b] + confusion[b, a], (head, a, b)


@needs_faces
def test_real_faces_are_read_well_and_calibrated(engine: Engine, faces: LabelledFaces) -> None:
    logits = read_logits(engine, faces)
    eight = judge(engine, faces, logits, "ferplus", resamples=0)
    seven = judge(engine, faces, logits, "fer2013", resamples=0)
    assert eight.accuracy > 0.75 > 2 * eight.majority - 0.1
    assert seven.accuracy > 0.6
    readings = engine.read(np.repeat(faces.images[..., None], 3, axis=3))
    most = faces.votes.argmax(axis=1)
    known = most < 8
    # 500 faces in 15 bins: chance alone gives about 0.04 here; the card has the figures on thousands.
    assert expected_calibration_error(readings.probabilities[known], most[known]) < 0.07
