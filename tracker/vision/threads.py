"""How many threads OpenCV takes for one picture."""

from __future__ import annotations

import cv2


def one_each() -> None:
    """Let OpenCV work in the thread that called it alone, for the whole process.

    A server looks at many people's pictures side by side; a detector that spreads one picture over all
    processors would make every page wait for it.
    """
    cv2.setNumThreads(1)
