"""A short clip of a moving portrait, for the demo: a freely licensed photo, panned, zoomed and turned."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from tracker.vision.quiet import quieten

SIDE = 480
FPS = 10
_FACE = (222.0, 112.0)  # centre of the face in scikit-image's portrait, 512 x 512
_AROUND = 230.0  # what is cut out around it, pixels


class PortraitError(RuntimeError):
    """The photo cannot be had."""


def portrait() -> np.ndarray:
    """scikit-image's copy of NASA's portrait of the astronaut Eileen Collins (public domain), RGB."""
    try:
        from skimage import data  # noqa: PLC0415 - only the demo needs it
    except ImportError as error:
        raise PortraitError(
            "the demo needs scikit-image for its photo; install it (pip install 'affect-tracker[demo]') "
            "or give a clip: make demo VIDEO=clip.mp4"
        ) from error
    picture: np.ndarray = data.astronaut()  # type: ignore[no-untyped-call]
    return picture


def write_clip(
    path: Path, seconds: float = 20.0, fps: int = FPS, size: tuple[int, int] = (SIDE, SIDE)
) -> None:
    """Write a clip in which the portrait drifts, nods and comes nearer, as faces before a camera do.

    Between seconds 12 and 14 the camera looks away, so that the series has a gap to show.

    Parameters
    ----------
    path
        An MP4 file to write.
    seconds
        Its length.
    fps
        Frames a second.
    size
        Width and height in pixels; what the picture does not fill is grey.
    """
    quieten()
    picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    try:
        for i in range(round(seconds * fps)):
            writer.write(_in_the_middle(_frame(picture, i / fps), size))
    finally:
        writer.release()


def jpeg(quality: int = 80) -> bytes:
    """One picture of the clip as a browser would send it."""
    picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", _frame(picture, 0.0), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PortraitError("OpenCV cannot write a JPEG")
    return data.tobytes()


def _in_the_middle(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    side = min(size)
    whole = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    whole[top : top + side, left : left + side] = cv2.resize(frame, (side, side))
    return whole


def _frame(picture: np.ndarray, t: float) -> np.ndarray:
    if 12.0 <= t < 14.0:
        # The top right of the photo: no face in it.
        return cv2.resize(picture[0:200, 312:512], (SIDE, SIDE))
    scale = SIDE / (_AROUND * (1.0 - 0.15 * math.sin(2 * math.pi * t / 9)))
    angle = 4.0 * math.sin(2 * math.pi * t / 7)
    x = _FACE[0] + 14 * math.sin(2 * math.pi * t / 5)
    y = _FACE[1] + 8 * math.sin(2 * math.pi * t / 3.3)
    turn = cv2.getRotationMatrix2D((x, y), angle, scale)
    turn[0, 2] += SIDE / 2 - x
    turn[1, 2] += SIDE / 2 - y
    light = 1.0 + 0.15 * math.sin(2 * math.pi * t / 11)
    frame = cv2.warpAffine(
        picture, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.convertScaleAbs(frame, alpha=light)
