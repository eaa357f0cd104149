"""Real faces of FER2013, where they are: never a part of the project."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tracker import shipped
from tracker.lab.datasets import LabelledFaces

FACES = shipped.models().parents[1] / "shared" / "fer2013"

needs_faces = pytest.mark.skipif(
    not FACES.is_dir(), reason="FER2013 is not there: label orders are not tested on real faces"
)


def real_faces(most: int = 2297) -> LabelledFaces:
    """Faces of PublicTest from the second sheet that it reaches into, which holds 2,297 of its 3,589."""
    table = np.load(FACES / "labels.npz")
    sheet = int(np.flatnonzero(table["usage"] == 1)[0]) // 2500 + 1
    grey = cv2.imread(str(FACES / f"images_{sheet:02d}.webp"), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    images = grey.reshape(50, 48, 50, 48).transpose(0, 2, 1, 3).reshape(-1, 48, 48)
    rows = slice(sheet * 2500, (sheet + 1) * 2500)
    labels, votes, split = (table[k][rows].astype(np.int64) for k in ("label", "ferplus_votes", "usage"))
    faces = LabelledFaces(images[: len(split)].astype(np.uint8), labels, votes, split).of("PublicTest")
    return faces.where(np.arange(len(faces)) < most)
