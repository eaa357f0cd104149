"""Frames of a video file, timed by its own presentation times."""

from __future__ import annotations

import io
from collections.abc import Container, Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from tracker.vision.containers import has_index
from tracker.vision.containers import sniff as sniff_container
from tracker.vision.errors import MediaError
from tracker.vision.quiet import quieten
from tracker.vision.recording import Frame, Sampling

# The container's own duration is rounded and edit lists move the end, so only a shortfall of both
# more than half a second and more than 2 % is called one.
_SHORTFALL_S, _SHORTFALL = 0.5, 0.02

MOST_PIXELS = 40_000_000
"""Pixels of a video's frame at most: 8K has 33 million, and a bomb of a few kilobytes states thousands of millions."""

Where = Path | io.BytesIO
"""A file, or an upload's bytes in memory."""


def open_video(where: Where, name: str) -> Any:
    """Open a video for reading, turned upright by its rotation metadata.

    Raises
    ------
    MediaError
        When it holds no video stream that can be decoded, or frames of too many pixels.
    """
    quieten()
    if isinstance(where, Path):
        # The absolute path cannot be read as a protocol ("concat:...") or as a numbered sequence.
        capture = cv2.VideoCapture(str(where.resolve()), cv2.CAP_FFMPEG)
    else:
        where.seek(0)
        # OpenCV's stubs know only its own abstract reader; it takes every buffered stream of Python's.
        capture = cv2.VideoCapture(where, cv2.CAP_FFMPEG, [])  # type: ignore[call-overload]
    if not capture.isOpened():
        capture.release()
        raise MediaError(_why_closed(where, name))
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if width * height > MOST_PIXELS:
        capture.release()
        raise MediaError(f"{name} has frames of {width:.0f} x {height:.0f} pixels; scale it down first")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def length(where: Where, name: str) -> tuple[int | None, float | None]:
    """The container's own frame count and duration in seconds, where it states plausible ones.

    Raises
    ------
    MediaError
        As `open_video`.
    """
    capture = open_video(where, name)
    try:
        return _stated_length(capture)
    finally:
        capture.release()


def video_frames(
    where: Where, name: str, every: float, skip: Container[int] = ()
) -> Generator[Frame, None, str | None]:
    """Yield the first frame at or after each multiple of `every` seconds; return what went wrong.

    Frames that are not taken, or whose time is in `skip`, are decoded by the codec (later ones depend on
    them) but never converted or handed out.

    Raises
    ------
    MediaError
        When nothing can be decoded at all.
    """
    sampling = Sampling(every)
    capture = open_video(where, name)
    try:
        _, duration = _stated_length(capture)
        previous, last, seen = -1, -1, 0
        while capture.grab():
            seen += 1
            # FFmpeg's best-effort presentation time in display order, relative to the stream's start;
            # frames before it (pre-roll that an edit list hides) have negative times.
            pts_us = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000)
            previous, last = last, max(last, pts_us)
            if pts_us <= previous or not sampling.due(pts_us) or pts_us in skip:
                continue
            retrieved, picture = capture.retrieve()
            if retrieved:
                yield Frame(np.ascontiguousarray(picture[:, :, ::-1]), pts_us)
        return _verdict(name, seen, last, duration)
    finally:
        capture.release()


def _stated_length(capture: Any) -> tuple[int | None, float | None]:
    count, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    # Live recordings that were never finished state none, or a negative one.
    if not 0 < count < 1e9 or not 0 < rate < 1e6:
        return None, None
    return int(count), count / rate


def _verdict(name: str, seen: int, last_us: int, duration: float | None) -> str | None:
    if seen == 0:
        raise MediaError(
            f"{name} gave no picture: it is damaged, or its codec is not supported; re-encode it"
        )
    if seen > 1 and last_us <= 0:
        return (
            f"{name} carries no presentation times; only its first picture was read. Remux it to MP4 or MKV"
        )
    end = last_us / 1e6 * seen / max(1, seen - 1)  # the last picture is shown for a while, too
    if duration is not None and duration - end > max(_SHORTFALL_S, _SHORTFALL * duration):
        return (
            f"{name} is truncated or damaged: nothing can be read after {end:.1f} s of {duration:.1f} s; "
            "what came before was kept"
        )
    return None


def _why_closed(where: Where, name: str) -> str:
    opened: AbstractContextManager[BinaryIO] = (
        where.open("rb") if isinstance(where, Path) else nullcontext(where)
    )
    with opened as file:
        file.seek(0)
        truncated = sniff_container(file.read(400)) == "mp4" and not has_index(file)
    if truncated:
        return f"{name} is truncated: its index (moov) is missing; copy it again or repair it"
    return f"{name} holds no video that can be decoded; re-encode it as H.264 in MP4"
