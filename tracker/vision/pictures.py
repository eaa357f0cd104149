"""Let a face crop leave `vision` in the one way that is allowed: sealed.

What seals is handed in, so that this room knows no keys; what it is handed is a whole picture in memory,
which nothing here keeps, writes or returns.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tracker.vision.recording import Pixels

MEDIA_TYPE = "image/png"
"""What the opened bytes are: a PNG file."""

# Without compression every crop of a size has the same length, and so has its ciphertext: sealed bytes of
# another length for a sharper or darker face would tell something about the face to whoever cannot open them.
_AS_IT_IS = (cv2.IMWRITE_PNG_COMPRESSION, 0)


def sealed(pixels: Pixels, seal: Callable[[bytes], bytes]) -> bytes:
    """Write a crop as a PNG in memory, and give what `seal` makes of it.

    The picture is without loss: whoever opens it sees the pixels that the network read. Its length depends on
    the crop's size alone.

    Parameters
    ----------
    pixels
        (H, W, 3) uint8 RGB, not empty.
    seal
        Encrypts under the key of the person on the picture.

    Examples
    --------
    >>> grey = np.full((48, 48, 3), 128, np.uint8)
    >>> sealed(grey, lambda picture: bytes(reversed(picture)))[-4:]
    b'GNP\\x89'
    """
    done, picture = cv2.imencode(".png", pixels[:, :, ::-1], _AS_IT_IS)
    if not done:  # OpenCV raises for what it cannot encode; this is for what it may yet come to answer
        raise ValueError(f"a crop of shape {np.shape(pixels)} could not be written as a picture")
    return seal(picture.tobytes())
