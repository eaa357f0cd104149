"""A frame of video in an archive is what this program writes, and nothing rides along in it to whoever is shown it."""

from __future__ import annotations

import re
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.archived import film
from tracker.domain.video import SIDE
from tracker.vision.covering import Covering
from tracker.vision.face import Face
from tracker.workflows.importing.contents import LARGEST_FRAME, _demand_frame
from tracker.workflows.importing.errors import ArchiveError


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def large(height: int, width: int) -> bytes:
    done, written = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))
    assert done
    return written.tobytes()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_every_frame_that_is_kept_here_is_taken_in(seed: int, grain: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (1 + 360 // grain, 1 + 480 // grain, 3), np.uint8)
    pixels = np.ascontiguousarray(noise.repeat(grain, 0).repeat(grain, 1)[:360, :480])
    me = Face((100.0, 60.0, 240.0, 240.0), 0.9, None, "yunet")
    frame = Covering().see(0, pixels, me, [me], read=True)
    assert frame is not None
    _demand_frame("frames/1.jpg", frame.sealed(lambda jpeg, place: jpeg, "here"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JPEG"),
        (b"\xff\xd8\xff", "no JPEG"),
        (b"<html><script>alert(1)</script>", "no JPEG"),
        (b"\x89PNG\r\n\x1a\n", "no JPEG"),
        (film(9)[:-2], "no JPEG"),
        (large(SIDE + 1, 20), "no JPEG"),
        (large(20, 60_000), "no JPEG"),
        (film(9)[:-2] + b"\xff\xda\x00\x02" * 4_000 + b"\xff\xd9", "no JPEG"),
        (with_segment(film(9), 0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0"), "more than a picture"),
        (with_segment(film(9), 0xED, b"somewhere, some day"), "more than a picture"),
        (film(9) + b"PK\x03\x04", "more than a picture"),
        (
            film(9)[:-2] + bytes(LARGEST_FRAME) + b"\xff\xd9",
            "more than a picture",
        ),
    ],
)
def test_what_is_no_frame_of_ours_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=re.escape(said)):
        _demand_frame("frames/1.jpg", data)
