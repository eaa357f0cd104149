"""What a recording is and when it was made, read from its first bytes without decoding it.

Only containers that are recognised here are handed to FFmpeg, which would otherwise open playlists
(that name other files and hosts) and render text files as video.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Literal

Container = Literal["mp4", "matroska", "avi", "mpeg", "asf", "flv", "ogg"]

_MP4_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_MATROSKA_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
# Devices whose clock was never set write zero, 1904, 1970 or their maker's default; nothing that
# records to these containers is older than this.
_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
_MP4_STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STILL_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
_SEGMENT, _INFO, _DATE, _CLUSTER = 0x18538067, 0x1549A966, 0x4461, 0x1F43B675


def sniff(head: bytes) -> Container | None:
    """Name the container that these first bytes (at least 400) begin; None if it is none that is read.

    Examples
    --------
    >>> sniff(bytes.fromhex("1a45dfa3") + bytes(400)), sniff(b"#EXTM3U")
    ('matroska', None)
    """
    if head[4:8] in _MP4_STARTS and head[8:12] not in _STILL_BRANDS:
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3") or head[:377:188] == b"GGG":
        return "mpeg"
    starts: dict[bytes, Container] = {b"\x30\x26\xb2\x75": "asf", b"FLV\x01": "flv", b"OggS": "ogg"}
    return starts.get(head[:4])


def is_modern_still(head: bytes) -> bool:
    """Say whether these first bytes begin a HEIC or AVIF picture, which phones write and OpenCV may lack."""
    return head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS


def created_at(file: BinaryIO, container: Container) -> datetime | None:
    """Read when a recording began (UTC) from its container; None where it says nothing plausible.

    MP4 and QuickTime: ``creation_time`` of ``mvhd`` (ISO/IEC 14496-12, 8.2.2). Matroska and WebM:
    ``DateUTC`` (RFC 9559, 5.1.2.11).
    """
    file.seek(0)
    if container == "mp4":
        found = _mp4_creation(file)
    elif container == "matroska":
        found = _matroska_date(file)
    else:
        return None
    return found if found is not None and found >= _EARLIEST else None


def has_index(file: BinaryIO) -> bool:
    """Say whether an MP4 or QuickTime file carries its ``moov`` box, without which it cannot be played."""
    return any(kind == b"moov" for kind, _, _ in _boxes(file, 0, file.seek(0, 2)))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of content, end) of the boxes in a range; stops at the first malformed one."""
    for _ in range(10_000):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1 and len(head) == 16:
            size, header = struct.unpack(">Q", head[8:])[0], 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield kind, start + header, min(start + size, end)
        start += size


def _mp4_creation(file: BinaryIO) -> datetime | None:
    end = file.seek(0, 2)
    for kind, start, stop in _boxes(file, 0, end):
        if kind != b"moov":
            continue
        for inner, at, _ in _boxes(file, start, stop):
            if inner == b"mvhd":
                file.seek(at)
                data = file.read(12)
                if len(data) < 12:
                    return None
                seconds: int = struct.unpack(
                    ">Q" if data[0] == 1 else ">I", data[4 : 12 if data[0] == 1 else 8]
                )[0]
                return _after(_MP4_EPOCH, seconds * 1_000_000)
    return None


def _matroska_date(file: BinaryIO) -> datetime | None:
    # The segment's info comes before its first cluster; 64 KiB hold it in every file that a player reads.
    data = file.read(65_536)
    at, end = 0, len(data)
    while at < end:
        element, at = _vint(data, at, keep_marker=True)
        size, at = _vint(data, at, keep_marker=False)
        if element in (0, _CLUSTER) or size < 0:
            return None
        if element in (_SEGMENT, _INFO):
            continue  # step into it
        if element == _DATE and size == 8 and at + 8 <= end:
            nanoseconds: int = struct.unpack(">q", data[at : at + 8])[0]
            return _after(_MATROSKA_EPOCH, nanoseconds // 1000)
        at += size
    return None


def _vint(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """Read an EBML variable-length integer; (0 or -1, end) where there is none."""
    if at >= len(data) or data[at] == 0:
        return (0 if keep_marker else -1), len(data)
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length])
    return (value if keep_marker else value & ~(1 << 7 * length)), at + length


def _after(epoch: datetime, microseconds: int) -> datetime | None:
    try:
        return epoch + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
