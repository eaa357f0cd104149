"""A face in a frame, and what every detector of faces keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from tracker.vision.recording import Pixels

DETECTION_SIDE = 640
"""Frames are reduced to this long side before detection. YuNet is trained for faces of 10 to 300 px and
misplaces the eyes of larger ones (opencv_zoo, issues 31 and 204); both detectors are faster for it."""

SMALLEST_FRAME = 16
"""Frames with a shorter side (a 1 x 1 picture) hold no face that could be read."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a frame, in pixels of that frame (x to the right, y down, from the top left corner).

    Attributes
    ----------
    box
        ``(x, y, width, height)`` as YuNet draws it: forehead to chin, narrower than high. It may reach
        outside the frame.
    score
        The detector's confidence in its own units; comparable only between faces of one detector.
    eyes
        Centres of the person's right and left eye (the right one is on the left of the picture), or None.
    detector
        Which detector found it.
    """

    box: tuple[float, float, float, float]
    score: float
    eyes: tuple[Point, Point] | None
    detector: str

    @property
    def centre(self) -> Point:
        """Middle of the box."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def side(self) -> float:
        """The longer side of the box."""
        return max(self.box[2:])


class Detector(Protocol):
    """Finds faces. Not safe to share between threads: each has one of its own."""

    name: str

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """Find the faces in (H, W, 3) uint8 RGB, the surest first; the same frame gives the same faces."""
        ...


def reduce(pixels: Pixels) -> tuple[Pixels, float]:
    """Scale a frame to `DETECTION_SIDE` at most; give it and what multiplies its coordinates back."""
    height, width = pixels.shape[:2]
    factor = DETECTION_SIDE / max(height, width)
    if factor >= 1:
        return pixels, 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), 1 / factor
