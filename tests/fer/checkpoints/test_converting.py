from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fer.checkpoints.saving import (
    LITERATURE,
    described_state,
    from_cuda,
    in_dan_form,
    in_dmue_training_form,
    in_form_of,
    in_poster_form,
    save,
    state,
)
from tracker.fer.checkpoints import CheckpointError, Form, convert, identify
from tracker.fer.manifest import ZooError
from tracker.fer.networks import build


def _equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("name", "legacy"), [*((name, False) for name in LITERATURE), ("dan", True), ("dmue_resnet18", True)]
)
def test_a_checkpoint_in_its_authors_form_becomes_the_network(
    tmp_path: Path, name: str, legacy: bool
) -> None:
    path = save(tmp_path / "published.pth", in_form_of(name, state(name)), legacy)
    found = convert(path, name, 7)
    assert _equal(found, state(name))
    with torch.device("meta"):
        network = build(name, classes=7)
    network.load_state_dict(found, assign=True)  # strict


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "legacy"])
def test_torchs_own_safe_loader_would_refuse_what_is_read_here(tmp_path: Path, legacy: bool) -> None:
    path = save(tmp_path / "poster.pth", in_poster_form({"x": torch.ones(1)}), legacy)
    with pytest.raises(Exception, match="RecorderMeter1"):
        torch.load(path, weights_only=True)


@pytest.mark.parametrize("name", LITERATURE)
def test_which_network_a_file_holds_is_recognised(tmp_path: Path, name: str) -> None:
    branches = 8 if name.startswith("dmue") else 0
    path = save(tmp_path / "published.pth", in_form_of(name, described_state(name)))
    assert identify(path) == Form(name, 7, branches)


def test_tensors_from_a_cuda_device_are_read_to_the_cpu(tmp_path: Path) -> None:
    path = from_cuda(save(tmp_path / "dan.pth", in_dan_form(state("dan"))))
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(path, weights_only=True)
    assert _equal(convert(path, "dan", 7), state("dan"))


def test_the_branch_that_is_used_has_eight_classes_and_the_number_eight(tmp_path: Path) -> None:
    weights = state("dmue_resnet18", 8)
    path = save(tmp_path / "dmue.pth", in_dmue_training_form(weights, 8))
    assert _equal(convert(path, "dmue_resnet18", 8), weights)
    # Without branches it is read as it stands.
    assert _equal(convert(save(tmp_path / "used.pth", weights), "dmue_resnet18", 8), weights)


def test_halves_parameters_views_and_lacking_counters_are_weights_too(tmp_path: Path) -> None:
    weights: dict[str, Any] = dict(state("dmue_resnet18"))
    name = "base.layer1.0.conv1.weight"
    weights[name] = nn.Parameter(weights[name].half())
    whole = torch.arange(4 * 512.0).reshape(512, 4)
    weights["bottleneck.bias"] = whole[:, 1]
    weights = {key: v for key, v in weights.items() if not key.endswith("num_batches_tracked")}
    for legacy in (False, True):
        found = convert(save(tmp_path / "dmue.pth", weights, legacy), "dmue_resnet18", 7)
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], weights[name].detach().float())
        assert torch.equal(found["bottleneck.bias"], whole[:, 1])
        assert found["bottleneck.num_batches_tracked"].dtype == torch.int64
        assert found["bottleneck.bias"].is_contiguous()


def _optimizer() -> dict[str, Any]:
    layer = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def _changed(**entries: Tensor | None) -> dict[str, Tensor]:
    weights = {
        **described_state("dan"),
        **{name.replace("__", "."): value for name, value in entries.items()},
    }
    return {name: value for name, value in weights.items() if value is not None}


WRONG: dict[str, tuple[Any, str]] = {
    "an optimizer": (_optimizer, "holds an optimizer's state, not weights; POSTER"),
    "an optimizer where weights belong": (
        lambda: {"epoch": 1, "state_dict": _optimizer()},
        "holds an optimizer's state, not weights",
    ),
    "another network": (lambda: described_state("dmue_resnet18"), "holds dmue_resnet18, not dan"),
    "another number of classes": (
        lambda: in_dan_form(described_state("dan", 8)),
        "tells 8 classes apart, not 7",
    ),
    "a plain ResNet": (
        lambda: {"conv1.weight": torch.ones(1), "layer4.0.conv1.weight": torch.ones(1)},
        "holds a plain ResNet, not POSTER",
    ),
    "an unknown network": (
        lambda: {"blocks.0": torch.ones(1)},
        "holds something unknown here, whose first entry is 'blocks.0', not POSTER",
    ),
    "a missing entry": (
        lambda: _changed(fc__bias=None, bn__bias=None, bn__weight=None),
        "is no dan as published: it lacks fc.bias, bn.weight and 1 more",
    ),
    "an unknown entry": (lambda: _changed(extra=torch.ones(1)), "it has the unknown extra"),
    "another shape": (
        lambda: _changed(features__0__weight=torch.ones(64, 1, 7, 7)),
        r"features.0.weight has the shape \(64, 1, 7, 7\), not \(64, 3, 7, 7\)",
    ),
    "no weights": (lambda: {"epoch": 3, "state_dict": {}}, "holds no weights"),
    "a list": (lambda: [1, 2], "holds a list, not weights"),
    "a whole network": (
        lambda: nn.Linear(2, 2),
        r"holds a whole object \(.*torch\.nn.*\), not weights",
    ),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "legacy"])
@pytest.mark.parametrize("what", WRONG)
def test_every_wrong_file_is_one_clear_line(tmp_path: Path, what: str, legacy: bool) -> None:
    make, message = WRONG[what]
    path = save(tmp_path / "wrong.pth", make(), legacy)
    with pytest.raises(CheckpointError, match=message) as caught:
        convert(path, "dan", 7)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert isinstance(caught.value, ZooError)


def test_a_training_form_of_another_number_of_classes(tmp_path: Path) -> None:
    weights = in_dmue_training_form(described_state("dmue_resnet18", 8), 8)
    path = save(tmp_path / "dmue.pth", weights)
    with pytest.raises(CheckpointError, match="tells 8 classes apart, not 7"):
        convert(path, "dmue_resnet18", 7)
    fewer = {name: value for name, value in weights.items() if "layer4_0" not in name}
    with pytest.raises(CheckpointError, match=r"tells 7 classes apart|with 8 branches; 8 classes need 9"):
        convert(save(path, fewer), "dmue_resnet18", 8)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers(tmp_path: Path, number: float) -> None:
    weights = dict(state("dmue_resnet18"))
    weights["bottleneck.bias"] = weights["bottleneck.bias"].clone()
    weights["bottleneck.bias"][3] = number
    path = save(tmp_path / "dmue.pth", weights)
    with pytest.raises(CheckpointError, match=r"not finite, in bottleneck\.bias; its training failed"):
        convert(path, "dmue_resnet18", 7)


def test_places_that_are_numbered_otherwise(tmp_path: Path) -> None:
    weights = dict(state("poster_v2"))
    name = "attn3.relative_position_index"
    weights[name] = weights[name].T.contiguous()
    path = save(tmp_path / "poster.pth", in_poster_form(weights))
    with pytest.raises(
        CheckpointError, match=f"numbers places in another way than poster_v2 does, in {name}"
    ):
        convert(path, "poster_v2", 7)


def test_the_file_that_poster_calls_its_best_is_named_in_the_error(tmp_path: Path) -> None:
    path = save(tmp_path / "x_model_best.pth", _optimizer())
    with pytest.raises(CheckpointError, match=r"give the file beside it, without _best"):
        convert(path, "poster_v2", 7)
