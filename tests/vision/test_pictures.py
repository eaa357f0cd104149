"""How a crop leaves vision: whole, without loss, of a length that says nothing, and only sealed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tracker.vision import pictures

SIZES = (8, 48, 112, 224)


def _opened(picture: bytes) -> np.ndarray:
    read = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    return np.asarray(read[:, :, ::-1])


def _plain(pixels: np.ndarray) -> bytes:
    return pictures.sealed(pixels, lambda picture, place: picture, "here")


@given(pixels=arrays.arrays(np.uint8, st.sampled_from([(8, 8, 3), (48, 48, 3), (5, 9, 3)])))
def test_every_crop_opens_as_the_pixels_that_were_read(pixels: np.ndarray) -> None:
    assert np.array_equal(_opened(_plain(pixels)), pixels)


@pytest.mark.parametrize("size", SIZES)
def test_crops_of_a_size_are_all_of_one_length(size: int) -> None:
    chance = np.random.default_rng(7)
    noise = chance.integers(0, 256, (size, size, 3), np.uint8)
    ramp = np.repeat(np.linspace(0, 255, size, dtype=np.uint8)[:, None, None], size, 1).repeat(3, 2)
    flat = np.full((size, size, 3), 200, np.uint8)
    lengths = {len(_plain(pixels)) for pixels in (noise, ramp, flat, np.zeros_like(flat))}
    assert len(lengths) == 1
    assert np.array_equal(_opened(_plain(noise)), noise)


def test_what_is_given_is_what_was_sealed_and_nothing_else() -> None:
    handed: list[tuple[bytes, str]] = []

    def seal(picture: bytes, place: str) -> bytes:
        handed.append((picture, place))
        return b"sealed"

    assert pictures.sealed(np.zeros((48, 48, 3), np.uint8), seal, "crops.sealed|1") == b"sealed"
    ((picture, place),) = handed
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert place == "crops.sealed|1"


def test_a_seal_that_fails_leaves_nothing() -> None:
    def seal(_: bytes, __: str) -> bytes:
        raise RuntimeError("no key")

    with pytest.raises(RuntimeError, match="no key"):
        pictures.sealed(np.zeros((48, 48, 3), np.uint8), seal, "here")
