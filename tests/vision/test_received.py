"""What comes over the network is judged before it is decoded, whatever it is."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.vision import received
from tracker.vision.errors import MediaError
from tracker.vision.received import NotAPictureError, TooManyPixelsError, decode, demand_readable

GREY = np.full((24, 32, 3), 90, np.uint8)


def encoded(suffix: str) -> bytes:
    done, data = cv2.imencode(suffix, GREY)
    assert done
    return data.tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_what_browsers_send_is_read(suffix: str) -> None:
    data = encoded(suffix)
    header = demand_readable(data)
    assert (header.width, header.height) == (32, 24)
    assert abs(decode(data).astype(int) - 90).max() <= 3


@pytest.mark.parametrize("suffix", [".bmp", ".tiff"])
def test_what_no_browser_sends_is_not(suffix: str) -> None:
    with pytest.raises(NotAPictureError, match="send JPEG, PNG or WebP"):
        demand_readable(encoded(suffix))


def test_a_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "MOST_PIXELS", 32 * 24 - 1)
    monkeypatch.setattr(received, "decode_still", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(TooManyPixelsError, match="32 x 24"):
        decode(encoded(".jpg"))


@given(st.data())
def test_every_damage_is_a_picture_or_an_error_of_ours(data: st.DataObject) -> None:
    whole = bytearray(encoded(data.draw(st.sampled_from([".jpg", ".png", ".webp"]))))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] ^= data.draw(st.integers(1, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        pixels = decode(cut)
    except MediaError as error:
        assert str(error)  # noqa: PT017 - which of them it is depends on the damage
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
