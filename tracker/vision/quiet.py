"""Keep OpenCV and FFmpeg from writing to stderr: a user sees one clear line, ours."""

from __future__ import annotations

import os
from functools import cache

import cv2

_AV_LOG_QUIET = "-8"


@cache
def quieten() -> None:
    """Silence both libraries for this process; call before the first capture is opened.

    FFmpeg's level can only be given through a variable that OpenCV's C++ side reads when it opens
    its first capture, so this writes it (and leaves a level that the user has set).
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _AV_LOG_QUIET)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
