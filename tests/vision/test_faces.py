from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision.making import MEDIA, YUNET, needs_media, needs_yunet
from tracker.domain.framing import CropSpec
from tracker.vision.crops import crop
from tracker.vision.errors import DetectorError
from tracker.vision.faces import Detector, Face, load_detector
from tracker.vision.media import frames, open_source
from tracker.vision.quality import BLURRED_BELOW, sharpness
from tracker.vision.recording import Pixels
from tracker.vision.tracks import overlap

ALIGNED = CropSpec(96, -0.024, "eyes", 0.385, 0.363)


@pytest.fixture(scope="module", params=["yunet", "haar"])
def detector(request: pytest.FixtureRequest) -> Detector:
    if request.param == "yunet" and not YUNET.is_file():
        pytest.skip("YuNet's file (../shared/detectors) is not here")
    return load_detector(YUNET if request.param == "yunet" else None)


def picture(name: str) -> Pixels:
    return next(frames(open_source(str(MEDIA / name)), 1.0)).pixels


@needs_media
@pytest.mark.parametrize("name", ["facerec_obama.jpg", "facerec_obama2.jpg"])
def test_a_portrait_has_one_face_with_eyes(detector: Detector, name: str) -> None:
    (face,) = detector.find(picture(name))
    assert face.detector == detector.name
    assert face.eyes is not None
    (right_x, right_y), (left_x, left_y) = face.eyes
    x, y, width, height = face.box
    assert x < right_x < face.centre[0] < left_x < x + width
    assert y < min(right_y, left_y)
    assert max(right_y, left_y) < y + height / 2


@needs_media
def test_a_group_has_several_faces(detector: Detector) -> None:
    assert len(detector.find(picture("pyfeat_multi_face.jpg"))) >= 4


@needs_media
@needs_yunet
def test_both_detectors_draw_the_same_box() -> None:
    yunet, haar = load_detector(YUNET), load_detector(None)
    for name in ("facerec_obama.jpg", "facerec_obama2.jpg"):
        pixels = picture(name)
        (one,), (other,) = yunet.find(pixels), haar.find(pixels)
        assert overlap(one.box, other.box) > 0.75


@needs_media
def test_boxes_are_in_pixels_of_the_frame_whatever_its_size(detector: Detector) -> None:
    pixels = picture("facerec_obama.jpg")
    (face,) = detector.find(pixels)
    (twice,) = detector.find(cv2.resize(pixels, None, fx=2, fy=2))
    assert np.allclose(np.array(twice.box) / 2, face.box, atol=0.05 * face.side)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (16, 16), (20, 3000), (480, 640)])
def test_pictures_without_a_face(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.find(np.full((*shape, 3), 127, np.uint8)) == ()


def test_a_missing_or_damaged_network_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DetectorError, match=r"nowhere.onnx does not exist; get YuNet with"):
        load_detector(tmp_path / "nowhere.onnx")
    bad = tmp_path / "bad.onnx"
    for content in (b"", b"no network", YUNET.read_bytes()[:100_000] if YUNET.is_file() else b"\x08"):
        bad.write_bytes(content)
        with pytest.raises(DetectorError, match=r"bad.onnx is damaged or no YuNet"):
            load_detector(bad)
    assert capfd.readouterr().err == ""


def drawn_face(size: int = 400, roll: float = 0.0, scale: float = 1.0) -> tuple[Pixels, Face]:
    """A grey field with two dots for eyes, and the face they stand for."""
    pixels = np.full((size, size, 3), 200, np.uint8)
    middle, distance = np.array([size / 2, size * 0.45]), 60 * scale
    across = np.array([math.cos(math.radians(roll)), math.sin(math.radians(roll))]) * distance / 2
    right, left = middle - across, middle + across
    for eye, colour in ((right, (255, 0, 0)), (left, (0, 0, 255))):
        cv2.circle(pixels, tuple(round(v * 8) for v in eye - 0.5), round(6 * scale * 8), colour, -1, shift=3)
    side = distance / 0.353
    box = (middle[0] - 0.38 * side, middle[1] - 0.39 * side, 0.76 * side, side)
    return pixels, Face(box, 1.0, ((right[0], right[1]), (left[0], left[1])), "drawn")


def middle_of(pixels: Pixels, channel: int) -> np.ndarray:
    """Centre of what is of one colour alone, in shares of the crop."""
    others = [c for c in range(3) if c != channel]
    weight = np.clip(200.0 - pixels[:, :, others].max(axis=2), 0, None)
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]] + 0.5
    weight[pixels[:, :, channel] < 100] = 0
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum() / pixels.shape[0]


@pytest.mark.parametrize("roll", [-40, -15, 0, 10, 30])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("size", [48, 112])
def test_eyes_come_to_their_places(roll: float, scale: float, size: int) -> None:
    pixels, face = drawn_face(800, roll, scale)
    cut = crop(pixels, face, CropSpec(size, 0.0, "eyes", 0.4, 0.36))
    assert cut.aligned
    assert cut.pixels.shape == (size, size, 3)
    assert np.allclose(middle_of(cut.pixels, 0), (0.5 - 0.18, 0.4), atol=0.012)
    assert np.allclose(middle_of(cut.pixels, 2), (0.5 + 0.18, 0.4), atol=0.012)


def test_without_eyes_the_box_is_cut_and_said_to_be_unaligned() -> None:
    pixels, face = drawn_face()
    cut = crop(pixels, Face(face.box, 1.0, None, "drawn"), ALIGNED)
    assert not cut.aligned
    assert not crop(pixels, face, CropSpec(96)).aligned
    x, y, _, height = face.box
    expected = (np.array(face.eyes[0]) - (x - 0.12 * height, y)) / height if face.eyes else None
    assert np.allclose(middle_of(crop(pixels, face, CropSpec(96)).pixels, 0), expected, atol=0.012)


def test_a_turned_head_is_not_cut_out_as_an_eye() -> None:
    pixels, face = drawn_face()
    x, y = face.centre
    profile = Face(face.box, 1.0, ((x - 2, y - 15), (x + 2, y - 15)), "drawn")
    cut = crop(pixels, profile, ALIGNED).pixels
    assert middle_of(cut, 2)[0] - middle_of(cut, 0)[0] < 0.45  # zoomed in by 15 % at most


@pytest.mark.parametrize(
    "box", [(-500, -500, 40, 50), (390, 390, 200, 300), (-100, -100, 900, 900), (5, 5, 0.1, 0.1)]
)
def test_boxes_outside_the_frame_give_a_crop_all_the_same(box: tuple[float, float, float, float]) -> None:
    pixels, _ = drawn_face()
    cut = crop(pixels, Face(box, 1.0, None, "drawn"), CropSpec(48, 2.0))
    assert cut.pixels.shape == (48, 48, 3)
    assert crop(pixels[:1, :1], Face(box, 1.0, None, "drawn"), CropSpec(48)).pixels.min() == 200


def test_large_faces_are_averaged_not_skipped_over() -> None:
    stripes = np.zeros((960, 960, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = crop(stripes, Face((100, 100, 700, 700), 1.0, None, "drawn"), CropSpec(48)).pixels
    assert abs(cut.astype(int) - 127).max() < 12


@needs_media
def test_blur_is_noticed_at_any_size(detector: Detector) -> None:
    pixels = picture("facerec_obama2.jpg")
    (face,) = detector.find(pixels)
    for size in (48, 224):
        cut = crop(pixels, face, CropSpec(size, -0.024, "eyes"))
        assert cut.sharpness > 5 * BLURRED_BELOW
        soft = cv2.GaussianBlur(cut.pixels, (0, 0), 2.0 * size / 48)
        assert sharpness(np.asarray(soft)) < BLURRED_BELOW
    dark = crop((pixels // 4).astype(np.uint8), face, ALIGNED).sharpness
    assert dark == pytest.approx(crop(pixels, face, ALIGNED).sharpness, rel=0.3)
