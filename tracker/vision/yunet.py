"""The YuNet detector (Wu, Peng & Yu 2023, Machine Intelligence Research 20:656), through OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tracker.vision.errors import DetectorError
from tracker.vision.face import SMALLEST_FRAME, Face, reduce
from tracker.vision.quiet import quieten
from tracker.vision.recording import Pixels

# Between the demo's .6 and cv2's own default of .9, which loses faces turned half away: every face in the
# project's test recordings scores above .85, and nothing else in them above .6.
_SCORE = 0.7
_OVERLAP = 0.3
_MOST = 50
# With 32 px or less either way the network's coarsest map is one cell wide, and OpenCV 4.14 then gives
# faces made of whatever lies in memory; such frames are padded.
_LEAST = 64


class YuNet:
    """Finds faces and five landmarks, of which the eyes are kept.

    Parameters
    ----------
    path
        The ONNX file.

    Raises
    ------
    DetectorError
        When the file is missing, damaged or another network.
    """

    name = "yunet"

    def __init__(self, path: Path) -> None:
        quieten()
        if not path.is_file():
            raise DetectorError(f"{path} does not exist; get YuNet with `affect-tracker networks pull yunet`")
        try:
            self._network = cv2.FaceDetectorYN.create(str(path), "", (320, 320), _SCORE, _OVERLAP, _MOST)
            self._network.detect(np.zeros((320, 320, 3), np.uint8))
        except (cv2.error, ValueError) as error:
            raise DetectorError(
                f"{path} is damaged or no YuNet; get it again with `affect-tracker networks pull yunet`"
            ) from error

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """Find faces; see `tracker.vision.face.Detector`."""
        if min(pixels.shape[:2]) < SMALLEST_FRAME:
            return ()
        small, back = reduce(pixels)
        bottom, right = (max(0, _LEAST - side) for side in small.shape[:2])
        bgr = cv2.copyMakeBorder(small[:, :, ::-1], 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._network.detect(bgr)
        if rows is None:
            return ()
        faces = [self._face([float(value) for value in row], back) for row in rows if np.isfinite(row).all()]
        return tuple(sorted(faces, key=lambda face: (-face.score, face.box)))

    def _face(self, row: list[float], back: float) -> Face:
        x, y, width, height, right_x, right_y, left_x, left_y = (value * back for value in row[:8])
        return Face((x, y, width, height), row[14], ((right_x, right_y), (left_x, left_y)), self.name)
