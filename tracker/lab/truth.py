"""What counts as the truth when a head is judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets import FER2013_CLASSES, FERPLUS_COLUMNS, DatasetError, LabelledFaces

CLASSES = {"ferplus": FERPLUS_COLUMNS[:8], "fer2013": FER2013_CLASSES}
"""Class order that the trainings in `tracker.lab.training` give each head."""


def truth(
    faces: LabelledFaces, head: str, classes: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which faces have a label for a head, and the labels of those.

    ``fer2013``: FER2013's own label. ``ferplus``: the emotion with most votes (the first in FER+'s column
    order at a tie), for faces where "unknown" or "not a face" has not more.

    Parameters
    ----------
    faces
        N faces.
    head
        ``ferplus`` or ``fer2013``.
    classes
        The head's classes in the order of its logits; labels are indices into it.

    Returns
    -------
    tuple
        A mask (N,), and the labels (M,) of the M faces where it is true.

    Raises
    ------
    DatasetError
        For an unknown head, or when no face has a label.
    """
    if head not in CLASSES:
        raise DatasetError(f"the data have no labels for head {head!r}; they have: {', '.join(CLASSES)}")
    own = faces.labels if head == "fer2013" else faces.votes.argmax(axis=1)
    place = np.full(len(FERPLUS_COLUMNS), -1)
    for index, name in enumerate(CLASSES[head]):
        if name in classes:
            place[index] = list(classes).index(name)
    rows = place[own] >= 0
    if not rows.any():
        raise DatasetError(f"none of the {len(faces)} faces has a label for head {head!r}")
    return rows, place[own][rows]
