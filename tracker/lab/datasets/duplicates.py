"""Which faces nearly equal a training face: 9.7 % of FER2013's PrivateTest do."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.errors import DatasetError


def read_near_duplicates(path: Path, faces: Sized, above: float = 0.97) -> NDArray[np.bool_]:
    """Mark faces that are nearly equal to a training face.

    Parameters
    ----------
    path
        An ``.npz`` file whose array ``near_train_ncc`` holds each face's normalised cross-correlation with
        its nearest training face, in the order of `faces`.
    faces
        All splits, as read.
    above
        What counts as a near duplicate.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            likeness = arrays["near_train_ncc"].astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path} holds no array near_train_ncc: {error}") from error
    if likeness.shape != (len(faces),):
        raise DatasetError(f"{path} describes {len(likeness)} faces, the data hold {len(faces)}")
    marked: NDArray[np.bool_] = likeness > above
    return marked
