"""Find faces in a frame: the choice of a detector."""

from __future__ import annotations

from pathlib import Path

from tracker.vision.face import Detector, Face
from tracker.vision.haar import Haar
from tracker.vision.yunet import YuNet

__all__ = ["Detector", "Face", "load_detector"]


def load_detector(yunet: Path | None) -> Detector:
    """Load YuNet from its ONNX file, or without one the Haar cascades that OpenCV carries.

    Parameters
    ----------
    yunet
        ``face_detection_yunet_2023mar.onnx`` of OpenCV's model zoo (MIT). None takes the cascades, which
        miss turned and tilted heads and find the eyes less often.

    Raises
    ------
    DetectorError
        When the file is missing, damaged or no YuNet.

    Examples
    --------
    >>> load_detector(None).name
    'haar'
    """
    return Haar() if yunet is None else YuNet(yunet)
