from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.vision.making import shades, write_video
from tracker.vision.errors import CameraLost
from tracker.vision.media import frames, open_source


class Ticking:
    """A clock that advances by a tenth of a second whenever it is read."""

    def __init__(self) -> None:
        self.tenths = -1

    def __call__(self) -> float:
        self.tenths += 1
        return self.tenths / 10


class Held:
    """A real capture of a file that grabs its n-th picture only when let."""

    def __init__(
        self, path: Path, gates: dict[int, threading.Event], marks: dict[int, threading.Event]
    ) -> None:
        self.capture: Any = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        self.gates, self.marks, self.grabbed, self.released = gates, marks, 0, False

    def grab(self) -> bool:
        if mark := self.marks.get(self.grabbed):
            mark.set()
        if gate := self.gates.get(self.grabbed):
            assert gate.wait(10)
        self.grabbed += 1
        return bool(self.capture.grab())

    def retrieve(self) -> Any:
        return self.capture.retrieve()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return bool(self.capture.isOpened())

    def release(self) -> None:
        self.released = True
        self.capture.release()


def test_the_newest_frame_wins_and_a_lost_camera_is_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "camera.mp4", shades(30), fps=10)
    first_taken, eight_grabbed, go_on = threading.Event(), threading.Event(), threading.Event()
    camera = Held(path, {1: first_taken, 8: go_on}, {8: eight_grabbed})
    stream = frames(open_source("camera:0"), 0.2, clock=Ticking(), opener=lambda _: camera)
    first = next(stream)
    first_taken.set()
    assert eight_grabbed.wait(10)  # meanwhile 0.2, 0.4 and 0.6 s passed; this consumer was slow
    newest = next(stream)
    assert (first.pts_us, newest.pts_us) == (0, 600_000)
    assert abs(float(newest.pixels.mean()) - 30) < 4
    go_on.set()
    with pytest.raises(
        CameraLost, match=r"^camera:0 stopped giving pictures after 2.9 s; what came before was kept"
    ):
        list(stream)
    assert camera.released


def test_leaving_the_stream_lets_go_of_the_camera(tmp_path: Path) -> None:
    camera = Held(write_video(tmp_path / "camera.mp4", shades(30)), {}, {})
    with frames(open_source("camera:1"), 0.2, clock=Ticking(), opener=lambda _: camera) as stream:
        next(stream)
    assert camera.released


def test_an_absent_camera_is_one_clear_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraLost, match=r"^camera:97 cannot be opened; check that it is connected"):
        next(frames(open_source("camera:97"), 0.2, clock=Ticking()))
    assert capfd.readouterr().err == ""


def test_what_breaks_in_the_camera_reaches_the_caller(tmp_path: Path) -> None:
    class Broken(Held):
        def retrieve(self) -> Any:
            raise OSError("bus error")

    camera = Broken(write_video(tmp_path / "camera.mp4", shades(3)), {}, {})
    with pytest.raises(OSError, match="bus error"):
        next(frames(open_source("camera:0"), 0.2, clock=Ticking(), opener=lambda _: camera))
    assert camera.released


def test_a_camera_needs_a_clock() -> None:
    with pytest.raises(ValueError, match="monotonic clock"):
        frames(open_source("camera:0"), 0.2)
