import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tracker.fer.device import available_devices
from tracker.fer.manifest import NORMALISATIONS
from tracker.fer.networks import by_head
from tracker.fer.preprocess import channels, prepare

CROPS = arrays.arrays(np.uint8, st.tuples(st.integers(0, 3), st.just(5), st.just(5), st.just(3)))


@given(CROPS, st.sampled_from(NORMALISATIONS))
@settings(max_examples=60, deadline=None)
def test_every_crop_becomes_what_its_normalisation_says(
    crops: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], normalisation: str
) -> None:
    x = prepare(torch.from_numpy(crops), normalisation)
    assert x.dtype == torch.float32
    assert x.shape == (len(crops), channels(normalisation), 5, 5)
    pixels = crops.astype(np.float64)
    if normalisation == "per_image":
        grey = pixels @ [0.299, 0.587, 0.114]
        deviation = np.maximum(grey.std((1, 2), keepdims=True), 1)
        expected = ((grey - grey.mean((1, 2), keepdims=True)) / deviation)[:, None]
    elif normalisation == "imagenet":
        expected = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        expected = expected.transpose(0, 3, 1, 2)
    else:
        expected = (pixels / 127.5 - 1).transpose(0, 3, 1, 2)
    assert np.allclose(x.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("device", available_devices())
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_a_crop_reads_the_same_alone_and_on_every_device(normalisation: str, device: str) -> None:
    crops = torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8)
    together = prepare(crops.to(device), normalisation).cpu()
    assert torch.allclose(
        together, torch.cat([prepare(crop[None], normalisation) for crop in crops]), atol=1e-5
    )


def test_what_cannot_be_prepared() -> None:
    with pytest.raises(ValueError, match="'histogram' is unknown; known: per_image, imagenet, half"):
        prepare(torch.zeros(1, 8, 8, 3, dtype=torch.uint8), "histogram")
    with pytest.raises(ValueError, match=r"\(N, H, W, 3\), RGB; these have \(1, 3, 8, 8\)"):
        prepare(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "imagenet")


def test_every_form_of_output_becomes_logits_by_head() -> None:
    z = torch.zeros(2, 7)
    assert by_head(z, ["emotion"])["emotion"] is z
    assert by_head((z, torch.zeros(2, 512, 7, 7)), ["emotion"])["emotion"] is z
    assert by_head([z], ["emotion"])["emotion"] is z
    assert list(by_head({"b": z, "a": z}, ["a", "b"])) == ["a", "b"]


@pytest.mark.parametrize(
    ("output", "heads", "message"),
    [
        (torch.zeros(2, 7), ["a", "b"], "has one head, expected 2: a, b"),
        ({"a": torch.zeros(2, 7)}, ["b"], r"has the heads \['a'\], expected \['b'\]"),
        ((), ["a"], "gave tuple where logits"),
        (torch.zeros(2, 512, 7, 7), ["a"], r"gave Tensor of the shape \(2, 512, 7, 7\) where logits"),
        (None, ["a"], "gave NoneType where logits"),
    ],
)
def test_what_no_network_may_answer(output: object, heads: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        by_head(output, heads)
