"""Crops in batches: the next pictures are opened while the network reads the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.cropping import Cropper
from tracker.lab.datasets.faces import BrokenPictureError, FaceSet

BATCH = 256
"""Faces held at once: 38 MB at 224 px, whatever the size of the data."""

_OPENERS = 4  # threads; decoding leaves Python's lock

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Batch:
    """Some faces of a set, ready for a network.

    Attributes
    ----------
    rows
        (M,) which faces.
    crops
        (M, S, S, 3) uint8 RGB.
    broken
        Faces that had to be skipped: row, and what was wrong.
    """

    rows: NDArray[np.int64]
    crops: Pixels
    broken: tuple[tuple[int, str], ...] = ()


def batches(faces: FaceSet, rows: NDArray[np.int64], cropper: Cropper, size: int = BATCH) -> Iterator[Batch]:
    """Yield crops of the given rows in their order, at most `size` at a time; memory does not grow with the data.

    Parameters
    ----------
    faces
        Where pictures come from.
    rows
        (N,) which faces.
    cropper
        How they are cut.
    size
        Faces in a batch at most.
    """
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    pool = ThreadPoolExecutor(_OPENERS, thread_name_prefix="pictures")
    try:
        ahead = _open(pool, faces, chunks[0], cropper) if chunks else []
        for place, chunk in enumerate(chunks):
            opened = ahead
            ahead = _open(pool, faces, chunks[place + 1], cropper) if place + 1 < len(chunks) else []
            yield _gather(chunk, opened, cropper.spec.size)
    finally:
        # Whoever stops, by Ctrl-C too, does not wait for pictures that nobody will look at.
        pool.shutdown(wait=False, cancel_futures=True)


def _open(
    pool: ThreadPoolExecutor, faces: FaceSet, rows: NDArray[np.int64], cropper: Cropper
) -> list[Future[Pixels]]:
    # Cut where it was opened, so that a frame of many megapixels is gone before the next is opened.
    return [
        pool.submit(lambda r: cropper.cut(faces, r, faces.pictures.read(r)), row) for row in rows.tolist()
    ]


def _gather(rows: NDArray[np.int64], opened: Sequence[Future[Pixels]], side: int) -> Batch:
    kept, crops, broken = list[int](), list[Pixels](), list[tuple[int, str]]()
    for row, future in zip(rows.tolist(), opened, strict=True):
        try:
            crops.append(future.result())
            kept.append(row)
        except BrokenPictureError as error:
            broken.append((row, str(error)))
    stacked = np.stack(crops) if crops else np.zeros((0, side, side, 3), np.uint8)
    return Batch(np.array(kept, dtype=np.int64), stacked, tuple(broken))
