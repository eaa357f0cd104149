"""What a still is, how large, and whether whole, read from its bytes before anything is decoded.

A picture of a few kilobytes can decode to gigabytes, and a decoder may fill a truncated one with grey;
both are found here first.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tracker.vision.exif import HEIGHT, WIDTH, Exif, read_exif, read_tags

Format = Literal["jpeg", "png", "webp", "bmp", "tiff"]
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Names that count as pictures in a folder; what a file really is, its bytes say."""

_JPEG_START, _JPEG_END, _SCAN = b"\xff\xd8\xff", b"\xff\xd9", 0xDA
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF = b"Exif\0\0"


class DamagedError(ValueError):
    """A still is cut short or its header makes no sense; the text completes "NAME is ..."."""


@dataclass(frozen=True, slots=True)
class Header:
    """Format, stored width and height in pixels, and EXIF of a still."""

    format: Format
    width: int
    height: int
    exif: Exif


def sniff(data: bytes) -> Format | None:
    """Name the format that these bytes begin; None if it is none that is read."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    starts: dict[bytes, Format] = {
        _JPEG_START: "jpeg", b"\x89PNG\r\n\x1a\n": "png", b"BM": "bmp", b"II*\0": "tiff", b"MM\0*": "tiff",
    }  # fmt: skip
    return next((name for start, name in starts.items() if data.startswith(start)), None)


def read_header(data: bytes) -> Header | None:
    """Read the header of a whole still; None if it is no format that is read.

    Raises
    ------
    DamagedError
        When the picture is truncated, its checksums fail (PNG) or it states no size.
    """
    kind = sniff(data)
    if kind is None:
        return None
    try:
        width, height, exif = _READERS[kind](data)
    except (struct.error, IndexError) as error:
        raise DamagedError("truncated or damaged") from error
    if width < 1 or height < 1:
        raise DamagedError(f"damaged: it states a size of {width} x {height}")
    return Header(kind, width, height, read_exif(exif))


def _jpeg(data: bytes) -> tuple[int, int, bytes]:
    at, size, exif = 2, (0, 0), b""
    while True:
        marker: int
        length: int
        _, marker, length = struct.unpack(">BBH", data[at : at + 4])
        body = data[at + 4 : at + 2 + length]
        if marker in _SIZE_MARKERS:
            size = struct.unpack(">HH", body[1:5])
        elif marker == 0xE1 and body.startswith(_EXIF):
            exif = body[len(_EXIF) :]
        elif marker == _SCAN:
            break
        at += 2 + length
    # A thumbnail in the EXIF has an end of its own, so the end is looked for after the scan's start.
    if data.find(_JPEG_END, at) < 0:
        raise DamagedError("truncated (a JPEG without its end)")
    return size[1], size[0], exif


def _png(data: bytes) -> tuple[int, int, bytes]:
    at, exif = 8, b""
    width: int
    height: int
    width, height = struct.unpack(">II", data[16:24])
    while True:
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 4 : at + 8 + length]
        (checksum,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if zlib.crc32(body) != checksum:
            raise DamagedError("damaged (a PNG whose checksum fails)")
        if kind == b"eXIf":
            exif = body[4:]
        if kind == b"IEND":
            return width, height, exif
        at += 12 + length


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _webp(data: bytes) -> tuple[int, int, bytes]:
    if struct.unpack("<I", data[4:8])[0] + 8 > len(data) + 1:
        raise DamagedError("truncated (a WebP shorter than it states)")
    width = height = 0
    exif = b""
    for kind, body in _chunks(data):
        if kind == b"VP8X":
            width, height = 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        elif kind == b"VP8 " and not width:
            width, height = (n & 0x3FFF for n in struct.unpack("<HH", body[6:10]))
        elif kind == b"VP8L" and not width:
            bits = int.from_bytes(body[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif kind == b"EXIF":
            exif = body.removeprefix(_EXIF)
    return width, height, exif


def _bmp(data: bytes) -> tuple[int, int, bytes]:
    width, height = struct.unpack("<ii", data[18:26])
    return width, abs(height), b""


def _tiff(data: bytes) -> tuple[int, int, bytes]:
    tags = read_tags(data)
    width, height = tags.get(WIDTH), tags.get(HEIGHT)
    if not isinstance(width, int) or not isinstance(height, int):
        raise DamagedError("truncated or damaged (a TIFF without its size)")
    return width, height, data


_READERS = {"jpeg": _jpeg, "png": _png, "webp": _webp, "bmp": _bmp, "tiff": _tiff}
