"""Makes recordings with what OpenCV can write, and patches into them what it cannot."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.vision.quiet import quieten

SHARED = Path(__file__).resolve().parents[3] / "shared"
MEDIA = SHARED / "media"
YUNET = SHARED / "detectors" / "face_detection_yunet_2023mar.onnx"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason="real recordings (../shared/media) are not here")
needs_yunet = pytest.mark.skipif(not YUNET.is_file(), reason="YuNet's file (../shared/detectors) is not here")


def write_video(path: Path, pictures: Iterable[np.ndarray], fps: float = 10, codec: str = "mp4v") -> Path:
    quieten()  # OpenCV asks for FFmpeg's level once, at the first video that it opens or writes
    writer = None
    for picture in pictures:
        if writer is None:
            size = picture.shape[1], picture.shape[0]
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size)
            assert writer.isOpened()
        writer.write(picture[:, :, ::-1])
    assert writer is not None
    writer.release()
    return path


def shades(count: int, height: int = 48, width: int = 64) -> Iterable[np.ndarray]:
    """Frame n is of the one grey 5 n (mod 250), so that a decoded frame tells which it is."""
    return (np.full((height, width, 3), n * 5 % 250, np.uint8) for n in range(count))


def patch(path: Path, box: bytes, offset: int, value: bytes) -> Path:
    """Overwrite bytes in the first box of a type, at an offset from the end of its header."""
    data = bytearray(path.read_bytes())
    at = data.index(box) + 4 + offset
    data[at : at + len(value)] = value
    path.write_bytes(data)
    return path


def state_creation(path: Path, seconds_since_1904: int) -> Path:
    return patch(path, b"mvhd", 4, struct.pack(">I", seconds_since_1904))


def rotate_by_metadata(path: Path) -> Path:
    """State, as a phone held upright does, that the picture is to be turned by 90 degrees clockwise."""
    matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return patch(path, b"tkhd", 40, struct.pack(">9i", *matrix))


def replace_times(path: Path, runs: list[tuple[int, int]]) -> Path:
    """Give an MP4 whose index is its last box other frame durations: (frames, ticks) runs."""
    data = path.read_bytes()
    at = data.index(b"stts") - 4
    (size,) = struct.unpack(">I", data[at : at + 4])
    body = struct.pack(">II", 0, len(runs)) + b"".join(struct.pack(">II", *run) for run in runs)
    table = struct.pack(">I", 8 + len(body)) + b"stts" + body
    longer = len(table) - size
    data = bytearray(data[:at] + table + data[at + size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = data.index(parent) - 4
        (old,) = struct.unpack(">I", data[place : place + 4])
        data[place : place + 4] = struct.pack(">I", old + longer)
    if (edits := data.find(b"edts")) >= 0:
        data[edits : edits + 4] = b"free"  # it would cut the track to its old duration
    ticks = sum(frames * length for frames, length in runs)
    place = data.index(b"mdhd") + 4 + 16
    data[place : place + 4] = struct.pack(">I", ticks)
    path.write_bytes(data)
    return path


def exif(tags: dict[int, str], orientation: int = 1) -> bytes:
    """A little-endian EXIF structure with an orientation and ASCII tags in its sub-directory."""
    inner = 8 + 2 + 2 * 12 + 4
    head = b"II*\0" + struct.pack("<IH", 8, 2)
    head += struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack("<HHII", 0x8769, 4, 1, inner)
    head += struct.pack("<I", 0)
    texts, entries = b"", struct.pack("<H", len(tags))
    start = inner + 2 + 12 * len(tags) + 4
    for tag, text in sorted(tags.items()):
        value = text.encode() + b"\0"
        if len(value) <= 4:
            entries += struct.pack("<HHI", tag, 2, len(value)) + value.ljust(4, b"\0")
            continue
        entries += struct.pack("<HHII", tag, 2, len(value), start + len(texts))
        texts += value
    return head + entries + struct.pack("<I", 0) + texts


def jpeg(picture: np.ndarray, tiff: bytes = b"") -> bytes:
    data = bytes(cv2.imencode(".jpg", picture[:, :, ::-1])[1])
    if not tiff:
        return data
    body = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def png(header: bytes, rows: bytes) -> bytes:
    """A PNG from the 13 bytes of its IHDR and its raw rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
