"""Decode stills: any depth, grey, palette or alpha, to upright 8-bit RGB of a bounded size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.vision.errors import MediaError
from tracker.vision.headers import DamagedError, Header, read_header
from tracker.vision.quiet import quieten
from tracker.vision.recording import Pixels

MAX_PIXELS = 200_000_000
"""Stills of more pixels are refused: decoding one may take gigabytes. 12,000 x 12,000 still passes."""

WORKING_SIDE = 4096
"""Stills with a longer side are reduced by 2, 4 or 8 when decoded; a face in them loses nothing a
network of 48 to 260 px could see."""

_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
            8: cv2.IMREAD_REDUCED_COLOR_8}  # fmt: skip
# What brings a picture with each EXIF orientation upright.
_TURNS: dict[int, tuple[int | None, int | None]] = {
    2: (1, None), 3: (None, cv2.ROTATE_180), 4: (0, None), 5: (1, cv2.ROTATE_90_COUNTERCLOCKWISE),
    6: (None, cv2.ROTATE_90_CLOCKWISE), 7: (1, cv2.ROTATE_90_CLOCKWISE),
    8: (None, cv2.ROTATE_90_COUNTERCLOCKWISE),
}  # fmt: skip
_WHITE = 255.0


def inspect(data: bytes, name: str) -> Header:
    """Read and judge a still's header without decoding it.

    Raises
    ------
    MediaError
        When the bytes are empty, no still that is read, truncated, or larger than `MAX_PIXELS`.
    """
    if not data:
        raise MediaError(f"{name} is empty (0 bytes); copy it again from where it was recorded")
    try:
        header = read_header(data)
    except DamagedError as error:
        raise MediaError(f"{name} is {error}; copy it again from where it was recorded") from error
    if header is None:
        raise MediaError(f"{name} is no picture that is read; give JPEG, PNG, WebP, BMP or TIFF")
    if header.width * header.height > MAX_PIXELS:
        raise MediaError(
            f"{name} is too large: {header.width} x {header.height} pixels, at most "
            f"{MAX_PIXELS // 1_000_000} million are read; scale it down first"
        )
    return header


def decode(data: bytes, name: str) -> Pixels:
    """Decode a still to (H, W, 3) uint8 RGB, upright, transparency over white, long side bounded.

    Raises
    ------
    MediaError
        As `inspect`, and when the content cannot be decoded.
    """
    header = inspect(data, name)
    quieten()
    reduction = next((r for r in (1, 2, 4) if max(header.width, header.height) <= WORKING_SIDE * r), 8)
    # A JPEG is reduced while it is decoded, upright by EXIF; the others may carry alpha or 16 bits.
    jpeg = header.format == "jpeg"
    flags = _REDUCED[reduction] if jpeg else cv2.IMREAD_UNCHANGED
    try:
        picture: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise MediaError(
            f"{name} cannot be decoded ({error.err or 'OpenCV refuses it'}); convert it to JPEG"
        ) from error
    if picture is None or picture.size == 0:
        raise MediaError(f"{name} is damaged or truncated; copy it again from where it was recorded")
    if not jpeg:
        picture = _upright(_to_bgr(_reduce(picture, reduction), name), header.exif.orientation)
    return np.ascontiguousarray(picture[:, :, ::-1], dtype=np.uint8)


def _reduce(picture: NDArray[Any], by: int) -> NDArray[Any]:
    if by == 1:
        return picture
    size = max(1, picture.shape[1] // by), max(1, picture.shape[0] // by)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _to_bgr(picture: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if picture.dtype == np.uint16:
        picture = (picture // 257).astype(np.uint8)
    if picture.dtype != np.uint8:
        raise MediaError(f"{name} has {picture.dtype} samples; give 8 or 16 bits per channel")
    if picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.shape[2] < 4:
        colour = picture if picture.shape[2] == 3 else np.repeat(picture[:, :, :1], 3, axis=2)
        return np.asarray(colour, dtype=np.uint8)
    alpha = picture[:, :, 3:].astype(np.float32) / 255.0
    mixed = picture[:, :, :3] * alpha + _WHITE * (1.0 - alpha)
    return np.asarray(np.rint(mixed), dtype=np.uint8)


def _upright(picture: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    mirror, turn = _TURNS.get(orientation, (None, None))
    if mirror is not None:
        picture = np.asarray(cv2.flip(picture, mirror), dtype=np.uint8)
    return picture if turn is None else np.asarray(cv2.rotate(picture, turn), dtype=np.uint8)
