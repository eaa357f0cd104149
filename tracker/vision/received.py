"""A picture that came over the network: judged by its header before anything of it is decoded."""

from __future__ import annotations

from tracker.vision.errors import MediaError
from tracker.vision.headers import DamagedError, Header, read_header, sniff
from tracker.vision.recording import Pixels
from tracker.vision.stills import decode as decode_still

MOST_PIXELS = 4_194_304
"""Pixels of a frame at most (2048 x 2048): a browser sends a tenth of it, and a bomb many times as much."""

READ = frozenset({"jpeg", "png", "webp"})
"""What browsers make of a canvas."""

_SCAN = b"\xff\xda"
# A progressive JPEG needs ten or so; each of thousands would cost a decoder a pass over the whole picture.
_MOST_SCANS = 32


class NotAPictureError(MediaError):
    """The bytes begin no picture of a kind that is read."""


class TooManyPixelsError(MediaError):
    """The header states more pixels than are decoded, or the picture takes a decoder far too long."""


def demand_readable(data: bytes) -> Header:
    """Judge a frame's header; nothing is decoded.

    Parameters
    ----------
    data
        The bytes as they came.

    Raises
    ------
    NotAPictureError
        When they are no JPEG, PNG or WebP.
    TooManyPixelsError
        When the picture would take too much to decode (more than `MOST_PIXELS`, or thousands of scans).
    MediaError
        When it is empty, cut short or damaged.

    Examples
    --------
    >>> demand_readable(b"GIF89a")
    Traceback (most recent call last):
    ...
    tracker.vision.received.NotAPictureError: This is no picture that is read; send JPEG, PNG or WebP.
    """
    if not data:
        raise MediaError("The picture is empty (0 bytes).")
    if sniff(data) not in READ:
        raise NotAPictureError("This is no picture that is read; send JPEG, PNG or WebP.")
    try:
        header = read_header(data)
    except DamagedError as error:
        raise MediaError(f"The picture is {error}.") from error
    assert header is not None
    if header.width * header.height > MOST_PIXELS:
        raise TooManyPixelsError(
            f"The picture has {header.width} x {header.height} pixels; at most {MOST_PIXELS:,} are read."
        )
    if header.format == "jpeg" and data.count(_SCAN) > _MOST_SCANS:
        raise TooManyPixelsError(f"The picture has more than {_MOST_SCANS} scans; send it as a plain JPEG.")
    return header


def decode(data: bytes) -> Pixels:
    """Decode a frame to (H, W, 3) uint8 RGB, upright.

    Raises
    ------
    MediaError
        As `demand_readable`, and when the content cannot be decoded.
    """
    demand_readable(data)
    return decode_still(data, "the picture")
