"""Frames of a live camera: always the newest, timed by a monotonic clock that is handed in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import cv2
import numpy as np

from tracker.vision.errors import CameraLost
from tracker.vision.quiet import quieten
from tracker.vision.recording import Frame, Sampling

Clock = Callable[[], float]
"""Seconds on a clock that never goes back, such as `time.monotonic`."""

Opener = Callable[[int], Any]
"""From a camera's number to an object with `isOpened`, `grab`, `retrieve` and `release` as OpenCV's has."""

# How long a wait for the next picture lasts before looking for Ctrl-C; not a limit of the wait itself.
_LOOK_AROUND_S = 0.5


def open_camera(number: int) -> Any:
    """Open a camera with OpenCV; whether that worked, the capture itself says."""
    quieten()
    return cv2.VideoCapture(number)


class _Newest:
    """One frame deep: a thread puts, whoever is slower takes only the newest."""

    def __init__(self, capture: Any, every: float, clock: Clock) -> None:
        self._capture, self._clock, self._sampling = capture, clock, Sampling(every)
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: BaseException | None = None
        self._seconds = 0.0
        self._ended = self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="camera", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        try:
            self._drain()
        except BaseException as error:  # told to whoever takes, who would wait for ever otherwise
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _drain(self) -> None:
        start: float | None = None
        # Grabbing without pause keeps the driver's queue empty: what is retrieved is what is seen now.
        while not self._stopped and self._capture.grab():
            now = self._clock()
            start = now if start is None else start
            self._seconds = now - start
            pts_us = round(self._seconds * 1_000_000)
            if not self._sampling.due(pts_us):
                continue
            retrieved, picture = self._capture.retrieve()
            if retrieved:
                frame = Frame(np.ascontiguousarray(picture[:, :, ::-1]), pts_us)
                with self._changed:
                    self._frame = frame
                    self._changed.notify()

    def take(self) -> Frame | None:
        """Wait for a frame not taken before; None once the camera has stopped."""
        with self._changed:
            while self._frame is None and not self._ended:
                self._changed.wait(_LOOK_AROUND_S)
            frame, self._frame = self._frame, None
        if frame is None and self._error is not None:
            raise self._error
        return frame

    @property
    def seconds(self) -> float:
        """How long the camera gave pictures."""
        return self._seconds

    def stop(self) -> None:
        self._stopped = True
        self._thread.join()
        self._capture.release()


def camera_frames(
    number: int, every: float, clock: Clock, opener: Opener = open_camera
) -> Generator[Frame, None, str | None]:
    """Yield the newest frame at or after each multiple of `every` seconds, without end.

    When the consumer is slower than `every`, frames in between are dropped, never queued.

    Raises
    ------
    CameraLost
        When the camera cannot be opened, and when it stops giving pictures.
    """
    capture = opener(number)
    if not capture.isOpened():
        capture.release()
        raise CameraLost(
            f"camera:{number} cannot be opened; check that it is connected, that this user may use it, "
            "and that no other program does"
        )
    newest = _Newest(capture, every, clock)
    try:
        while (frame := newest.take()) is not None:
            yield frame
    finally:
        newest.stop()
    raise CameraLost(
        f"camera:{number} stopped giving pictures after {newest.seconds:.1f} s; what came before was kept. "
        "Check its cable and start again"
    )
