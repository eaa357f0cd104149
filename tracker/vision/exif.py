"""The two facts of a still's EXIF that matter here: which way is up, and when it was taken.

A reader of a dozen tags instead of a library: EXIF comes from strangers, so nothing in it is trusted
(offsets are checked, one level of sub-directory, no loops). After CIPA DC-008 (EXIF 3.0) and TIFF 6.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_TAKEN, _OFFSET, _SUBSECOND = 0x9003, 0x9011, 0x9291
WIDTH, HEIGHT = 0x0100, 0x0101
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
_NUMBERS = {1: "B", 3: "H", 4: "I"}


@dataclass(frozen=True, slots=True)
class Exif:
    """What was found.

    Attributes
    ----------
    orientation
        1 (upright) to 8, as EXIF numbers them.
    taken_at
        UTC; None unless the picture states both its local time and the offset.
    """

    orientation: int = 1
    taken_at: datetime | None = None


def read_exif(tiff: bytes) -> Exif:
    """Read EXIF from its TIFF structure (that begins ``II*`` or ``MM*``); damaged parts count as absent.

    Examples
    --------
    >>> read_exif(b"nonsense")
    Exif(orientation=1, taken_at=None)
    """
    tags = read_tags(tiff)
    inner = tags.get(_EXIF_IFD)
    exif = read_tags(tiff, inner) if isinstance(inner, int) else {}
    orientation = tags.get(_ORIENTATION)
    return Exif(
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        _instant(exif.get(_TAKEN), exif.get(_OFFSET), exif.get(_SUBSECOND)),
    )


def read_tags(tiff: bytes, at: int | None = None) -> dict[int, int | bytes]:
    """Read one directory (the first, or that at an offset): the first number or the bytes of each tag."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return {}
    start: int = struct.unpack(order + "I", tiff[4:8])[0] if at is None else at
    if start + 2 > len(tiff):
        return {}
    (count,) = struct.unpack(order + "H", tiff[start : start + 2])
    tags: dict[int, int | bytes] = {}
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, length = struct.unpack(order + "HHI", tiff[entry : entry + 8])
        size = _SIZES.get(kind, 0) * length
        if not 0 < size <= 65_536:
            continue
        place = entry + 8 if size <= 4 else struct.unpack(order + "I", tiff[entry + 8 : entry + 12])[0]
        value = tiff[place : place + size]
        if len(value) == size:
            tags[tag] = (
                struct.unpack(order + _NUMBERS[kind], value[: _SIZES[kind]])[0] if kind in _NUMBERS else value
            )
    return tags


def _instant(
    taken: int | bytes | None, offset: int | bytes | None, part: int | bytes | None
) -> datetime | None:
    if not isinstance(taken, bytes) or not isinstance(offset, bytes):
        return None
    digits = part.rstrip(b"\0 ").decode("ascii", "replace") if isinstance(part, bytes) else ""
    text = taken.rstrip(b"\0 ").decode("ascii", "replace") + offset.rstrip(b"\0 ").decode("ascii", "replace")
    try:
        moment = datetime.strptime(text.replace("Z", "+00:00"), "%Y:%m:%d %H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (
        moment + timedelta(seconds=float(f"0.{digits}")) if digits.isascii() and digits.isdigit() else moment
    )
