"""Cut a face out as a network expects it: by its `CropSpec`, sharp, whatever the face's size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.domain.framing import CropSpec
from tracker.vision.face import Face
from tracker.vision.quality import sharpness
from tracker.vision.recording import Pixels

# Distance of the eyes as a share of the box's longer side: median of 0.353 over 1,840 faces of FER2013.
# A turned head brings them nearer together without making the head smaller; beyond this much off
# the box is believed instead, or a profile would be cut out as an eye.
_EYES_OF_BOX, _BELIEVED = 0.353, 1.15


@dataclass(frozen=True)
class Crop:
    """A face ready for a network.

    Attributes
    ----------
    pixels
        (S, S, 3) uint8 RGB.
    aligned
        Whether the eyes were used; False when they were not found or the network wants none.
    sharpness
        See `tracker.vision.quality.sharpness`.
    """

    pixels: Pixels
    aligned: bool
    sharpness: float


@dataclass(frozen=True, slots=True)
class _Square:
    """What is cut out: centre and side in pixels of the frame, rotation in radians."""

    x: float
    y: float
    side: float
    angle: float


def crop(pixels: Pixels, face: Face, spec: CropSpec) -> Crop:
    """Cut a face out of a frame.

    With ``alignment="eyes"`` and eyes found, the eyes come to a level line at the spec's height and (within
    15 %, see the module) distance. Otherwise the square around the box's centre is cut, `margin` added.
    What lies outside the frame repeats its border.

    Parameters
    ----------
    pixels
        (H, W, 3) uint8 RGB, the frame in which the face was found.
    face
        One of the detector's faces in it.
    spec
        The network's framing.
    """
    aligned = spec.alignment == "eyes" and face.eyes is not None
    square = _by_eyes(face, spec) if aligned else _by_box(face, spec)
    cut = _cut(pixels, square, spec.size)
    return Crop(cut, aligned, sharpness(cut))


def _by_box(face: Face, spec: CropSpec) -> _Square:
    return _Square(*face.centre, max(1.0, face.side * (1 + 2 * spec.margin)), 0.0)


def _by_eyes(face: Face, spec: CropSpec) -> _Square:
    if face.eyes is None:
        raise ValueError("a face without eyes cannot be aligned by them")
    (right_x, right_y), (left_x, left_y) = face.eyes
    angle = math.atan2(left_y - right_y, left_x - right_x)
    expected = _EYES_OF_BOX * face.side
    distance = math.hypot(left_x - right_x, left_y - right_y)
    distance = min(max(distance, expected / _BELIEVED), expected * _BELIEVED)
    side = max(1.0, distance / spec.eye_distance)
    below = (0.5 - spec.eye_line) * side  # the square's centre, seen from the middle of the eyes
    return _Square(
        (right_x + left_x) / 2 - below * math.sin(angle),
        (right_y + left_y) / 2 + below * math.cos(angle),
        side,
        angle,
    )


def _cut(pixels: Pixels, square: _Square, size: int) -> Pixels:
    region, left, top = _around(pixels, square, size)
    scale = size / square.side
    shrunk_x = shrunk_y = 1.0
    if scale < 1:  # area averages first: a warp alone would skip pixels and alias
        height, width = region.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        region = np.asarray(cv2.resize(region, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        shrunk_x, shrunk_y = small[0] / width, small[1] / height
    # From the crop to the region, in continuous coordinates whose origin is a corner, not a pixel's centre.
    cos, sin = math.cos(square.angle) / scale, math.sin(square.angle) / scale
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    matrix[:, 2] = (square.x - left, square.y - top) - matrix[:, :2] @ (size / 2, size / 2)
    matrix *= np.array([[shrunk_x], [shrunk_y]])
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(region, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.uint8)


def _around(pixels: Pixels, square: _Square, size: int) -> tuple[NDArray[np.uint8], int, int]:
    """Give the part of the frame that the rotated square touches, never empty, and where it begins."""
    reach = square.side / 2 * (abs(math.cos(square.angle)) + abs(math.sin(square.angle)))
    reach += 2 * max(1.0, square.side / size)
    height, width = pixels.shape[:2]
    left = min(max(0, math.floor(square.x - reach)), width - 1)
    top = min(max(0, math.floor(square.y - reach)), height - 1)
    right = min(max(left + 1, math.ceil(square.x + reach)), width)
    bottom = min(max(top + 1, math.ceil(square.y + reach)), height)
    return pixels[top:bottom, left:right], left, top
