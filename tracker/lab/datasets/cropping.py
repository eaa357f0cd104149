"""From a picture of a data set to the crop that a network reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.domain.framing import CropSpec
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.datasets.faces import BrokenPictureError, FaceSet
from tracker.vision.crops import crop
from tracker.vision.face import Detector, Face

_BOXED = "listed"  # the detector's name of a face that came with the data


@dataclass
class Cropper:
    """Cuts faces out as one network wants them.

    Crops of a data set are taken as they are and only brought to the network's size: how tightly they were cut is the
    data's choice, and part of what a figure on them says. Faces in boxes are cut by the box with the network's margin.
    In frames the face is found first, the largest where there are several, and cut as `track` cuts it.

    Parameters
    ----------
    spec
        The network's framing.
    detect
        Find the face in crops as well.
    detector
        Called once, when the first face has to be found.
    """

    spec: CropSpec
    detect: bool = False
    detector: Callable[[], Detector] | None = None
    found_by: str = ""
    _detector: Detector | None = field(default=None, repr=False)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def cut(self, faces: FaceSet, row: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (S, S, 3) uint8 RGB.

        Raises
        ------
        BrokenPictureError
            When the face's box lies outside the picture, or no face is found where one must be.
        """
        if faces.framing == "boxes" and faces.boxes is not None:
            x, y, width, height = (float(v) for v in faces.boxes[row])
            inside = x < pixels.shape[1] and y < pixels.shape[0] and x + width > 0 and y + height > 0
            if not (inside and 0 < width < np.inf and 0 < height < np.inf):
                raise BrokenPictureError(f"{faces.names[row]}: its box lies outside the picture")
            return crop(pixels, Face((x, y, width, height), 1.0, None, _BOXED), self.spec).pixels
        square = pixels.shape[0] == pixels.shape[1]
        if self.detect or (faces.framing == "frames" and not square):
            return crop(pixels, self._find(faces, row, pixels), self.spec).pixels
        return resized(pixels, self.spec.size)

    def described(self, faces: FaceSet) -> str:
        """Say in one sentence what is done to these pictures."""
        size = self.spec.size
        if faces.framing == "boxes":
            return (
                f"cut by the data's own boxes with the network's margin {self.spec.margin:+g}, to {size} px"
            )
        if self.detect or self.found_by:
            how = "eyes" if self.spec.alignment == "eyes" else "box"
            what = "square pictures taken as crops, the others" if not self.detect else "every picture"
            return (
                f"{what} searched for its largest face ({self.found_by or 'no search yet'}), cut by its {how}"
            )
        return f"taken as cropped by the data set and resized to {size} px; the network's own margin was not applied"

    def _find(self, faces: FaceSet, row: int, pixels: NDArray[np.uint8]) -> Face:
        with self._one_at_a_time:  # detectors are not safe to share between threads
            if self._detector is None:
                if self.detector is None:
                    raise DatasetError(f"{faces.kind} pictures are not cropped; a face detector is needed")
                self._detector = self.detector()
                self.found_by = self._detector.name
            found = self._detector.find(pixels)
        if not found:
            raise BrokenPictureError(f"{faces.names[row]}: no face found by {self.found_by}")
        return max(found, key=lambda face: face.side)


def resized(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bring (H, W, 3) to (size, size, 3): area averages when it shrinks, linear when it grows.

    Examples
    --------
    >>> resized(np.full((90, 100, 3), 7, np.uint8), 48).shape
    (48, 48, 3)
    """
    if pixels.shape[:2] == (size, size):
        return pixels
    how = cv2.INTER_AREA if min(pixels.shape[:2]) >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=how), dtype=np.uint8)
