"""The Haar cascades that OpenCV 4 carries (Viola & Jones 2001), good at frontal faces only."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.vision.errors import DetectorError
from tracker.vision.face import SMALLEST_FRAME, Face, Point, reduce
from tracker.vision.quiet import quieten
from tracker.vision.recording import Pixels

# A cascade's square is wider than YuNet's box and stops above the chin. In units of its side, median over
# 73 faces of the project's test recordings that both find, and over 501 faces of FER2013: YuNet's box is .80
# and .80 wide (quartiles .04 and .09 apart), 1.14 and 1.07 high (.07, .14), its centre .03 and .02 lower.
_WIDTH, _HEIGHT, _LOWER = 0.80, 1.12, 0.03

_SCALE_STEP, _NEIGHBOURS = 1.1, 5
# Smallest square, as a share of the frame's shorter side: whoever is filmed is larger, and looking for
# smaller ones takes most of the time.
_SMALLEST = 0.12
# The last stage's weight: the 113 true faces of the test recordings have 2.2 to 11.4, the false ones
# -0.8 to 1.97. A square much smaller than the largest one has to be surer still: most false ones are.
_WEIGHT, _WEIGHT_OF_SMALL, _SMALL = 2.1, 4.0, 0.4
_OVERLAP = 0.3

# Where eyes lie in a cascade's square: centres .17 to .55 of its side below its top; their distance .25 to
# .6 of it, tilted at most 25 degrees. Anything else is a brow, a nostril or a glass's rim.
_TOP, _BOTTOM = 0.17, 0.55
_NEAREST, _FARTHEST, _STEEPEST = 0.25, 0.6, 25.0

# Eyes are looked for in a square of at most this side; larger ones take longer and give no more.
_EYE_SIDE = 160

Square = tuple[int, int, int]


class Haar:
    """Finds frontal faces, and the eyes of about half of them.

    Raises
    ------
    DetectorError
        When this OpenCV has no cascades (5.x dropped them).
    """

    name = "haar"

    def __init__(self) -> None:
        quieten()
        self._faces = _cascade("haarcascade_frontalface_default.xml")
        self._eyes = _cascade("haarcascade_eye.xml")

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """Find faces; see `tracker.vision.face.Detector`."""
        if min(pixels.shape[:2]) < SMALLEST_FRAME:
            return ()
        small, back = reduce(pixels)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        faces = [self._face(grey, square, weight, back) for square, weight in self._squares(grey)]
        return tuple(sorted(faces, key=lambda face: (-face.score, face.box)))

    def _squares(self, grey: NDArray[np.uint8]) -> list[tuple[Square, float]]:
        least = max(24, round(_SMALLEST * min(grey.shape)))
        squares, _, weights = self._faces.detectMultiScale3(
            cv2.equalizeHist(grey), _SCALE_STEP, _NEIGHBOURS, 0, (least, least), outputRejectLevels=True
        )
        found = [
            ((int(x), int(y), int(w)), float(v)) for (x, y, w, _), v in zip(squares, weights, strict=True)
        ]
        found = sorted((f for f in found if f[1] >= _WEIGHT), key=lambda f: (-f[1], f[0]))
        largest = max((square[2] for square, _ in found), default=0)
        kept: list[tuple[Square, float]] = []
        for square, weight in found:
            unsure = square[2] < _SMALL * largest and weight < _WEIGHT_OF_SMALL
            if not unsure and not any(_overlap(square, other) > _OVERLAP for other, _ in kept):
                kept.append((square, weight))
        return kept

    def _face(self, grey: NDArray[np.uint8], square: Square, weight: float, back: float) -> Face:
        x, y, side = square
        centre_x, centre_y = x + side / 2, y + side * (0.5 + _LOWER)
        width, height = side * _WIDTH, side * _HEIGHT
        box = (centre_x - width / 2) * back, (centre_y - height / 2) * back, width * back, height * back
        eyes = self._pair(grey, square)
        if eyes is not None:
            (right_x, right_y), (left_x, left_y) = eyes
            eyes = (right_x * back, right_y * back), (left_x * back, left_y * back)
        return Face(box, weight, eyes, self.name)

    def _pair(self, grey: NDArray[np.uint8], square: Square) -> tuple[Point, Point] | None:
        x, y, side = square
        top, left = max(0, y), max(0, x)
        upper = grey[top : y + round(0.65 * side), left : x + side]
        if min(upper.shape) < 20:
            return None
        back = max(1.0, side / _EYE_SIDE)
        size = max(1, round(upper.shape[1] / back)), max(1, round(upper.shape[0] / back))
        small = cv2.resize(upper, size, interpolation=cv2.INTER_AREA)
        least, most = max(8, round(0.12 * side / back)), round(0.5 * side / back)
        found = self._eyes.detectMultiScale(small, _SCALE_STEP, 4, 0, (least, least), (most, most))
        centres = sorted(
            (left + (a + w / 2) * back, top + (b + h / 2) * back) for a, b, w, h in np.asarray(found).tolist()
        )
        pairs = [pair for pair in itertools.combinations(centres, 2) if _plausible(pair, square)]
        # Of several pairs, the one that lies most symmetrically in the square.
        return min(pairs, key=lambda p: (abs(p[0][0] + p[1][0] - 2 * x - side), p), default=None)


def _plausible(pair: tuple[Point, Point], square: Square) -> bool:
    x, y, side = square
    (right_x, right_y), (left_x, left_y) = pair
    distance = math.hypot(left_x - right_x, left_y - right_y) / side
    tilt = abs(math.degrees(math.atan2(left_y - right_y, left_x - right_x)))
    middle = (right_x + left_x) / 2 - x
    return (
        _NEAREST <= distance <= _FARTHEST
        and tilt <= _STEEPEST
        and all(_TOP <= (eye_y - y) / side <= _BOTTOM for eye_y in (right_y, left_y))
        and 0.3 <= middle / side <= 0.7
    )


def _overlap(one: Square, other: Square) -> float:
    """Shared area as a share of the smaller square, so that a square inside another one counts as it."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[2], other[1] + other[2]) - max(one[1], other[1])
    return max(0, width) * max(0, height) / min(one[2], other[2]) ** 2


def _cascade(name: str) -> Any:
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder) / name
    if not folder or not path.is_file() or not hasattr(cv2, "CascadeClassifier"):
        raise DetectorError(
            f"OpenCV {cv2.__version__} has no {name}; install opencv-python-headless<5 or pull YuNet"
        )
    return cv2.CascadeClassifier(str(path))
