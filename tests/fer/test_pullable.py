"""What can be pulled is read as its makers wrote it: pixels, sizes, orders and columns, each by name."""

import pytest

from tracker import shipped
from tracker.domain.framing import CropSpec
from tracker.fer.manifest import Entry, read_manifest
from tracker.fer.onnx_network import ONNX

EIGHT = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
SEVEN = tuple(c for c in EIGHT if c != "contempt")

# Name: first digits of git's id, pixels, classes, arguments; all RGB by ImageNet's mean and deviation, no alignment.
EFFICIENT = {
    "enet_b0_8_best_vgaf": ("49772db4e87e", 224, EIGHT, {}),
    "enet_b0_8_best_afew": ("d87faf71e875", 224, EIGHT, {}),
    "enet_b0_8_va_mtl": ("7ce9d6dd5b82", 224, EIGHT, {"columns": 10}),
    "enet_b2_8": ("a7cb612cbab1", 260, EIGHT, {}),
    "enet_b2_7": ("cdd6a6070b72", 260, SEVEN, {}),
}

# Where OpenCV Zoo's network has the eyes, in a crop of 112 px.
RIGHT_EYE, LEFT_EYE = (38.2946, 51.6963), (73.5318, 51.5014)


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    return read_manifest(shipped.models() / "manifest.toml")


def test_there_are_no_others(entries: dict[str, Entry]) -> None:
    pulled = {name for name, entry in entries.items() if entry.url and entry.kind == "network"}
    assert pulled == {*EFFICIENT, "opencv_fer"}


@pytest.mark.parametrize("name", EFFICIENT)
def test_emotiefflib(entries: dict[str, Entry], name: str) -> None:
    blob, size, classes, arguments = EFFICIENT[name]
    entry = entries[name]
    assert entry.url.endswith(f"/{name}.onnx")
    assert entry.file.endswith(f"/{name}.onnx")
    assert (entry.pin.kind, entry.pin.digits[:12]) == ("git-blob", blob)
    assert (entry.spec.architecture, entry.spec.arguments) == (ONNX, arguments)
    assert entry.spec.normalisation == "imagenet"
    assert [head.classes for head in entry.spec.heads] == [classes]
    assert entry.spec.crop == CropSpec(size)


def test_opencv_zoo(entries: dict[str, Entry]) -> None:
    entry = entries["opencv_fer"]
    assert entry.pin.digits.startswith("4f61307602fc")
    assert (entry.spec.architecture, entry.spec.arguments) == (ONNX, {"output": "label"})
    assert entry.spec.normalisation == "half"
    assert [head.classes for head in entry.spec.heads] == [SEVEN]
    crop = entry.spec.crop
    assert (crop.size, crop.alignment) == (112, "eyes")
    assert crop.eye_line * 112 == pytest.approx((RIGHT_EYE[1] + LEFT_EYE[1]) / 2, abs=0.1)
    assert crop.eye_distance * 112 == pytest.approx(LEFT_EYE[0] - RIGHT_EYE[0], abs=0.1)


def test_probabilities_that_nobody_calibrated_are_not_said_to_be(entries: dict[str, Entry]) -> None:
    for name in (*EFFICIENT, "opencv_fer"):
        (head,) = entries[name].spec.heads
        assert (head.temperature, head.smoothing) == (1.0, 0.0)
        assert "not calibrated" in entries[name].note
