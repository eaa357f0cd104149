"""Files that say one thing and hold another: never a silent wrong number, always one clear line."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
from onnx import TensorProto, helper, numpy_helper

from tests.fer.making import entry_for, tiny_network, tiny_zoo
from tests.fer.onnx_making import linear
from tracker.domain.framing import CropSpec
from tracker.fer.adding import Wanted, add
from tracker.fer.manifest import Head, NetworkSpec, ZooError
from tracker.fer.networks import build
from tracker.fer.onnx_graph import require_whole
from tracker.fer.onnx_network import OnnxModule, crop_size
from tracker.fer.orders import ORDERS
from tracker.fer.weights import pack_weights, unpack_weights
from tracker.fer.zoo import Zoo


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    folder, _ = tiny_zoo(tmp_path / "models")
    return Zoo(folder, tmp_path / "data")


def test_a_file_of_eight_classes_is_not_one_of_seven(zoo: Zoo, tmp_path: Path) -> None:
    heads = (Head("emotion", ORDERS["affectnet"]),)
    spec = NetworkSpec("dmue_resnet18", {"classes": 8}, heads, CropSpec(224), "half")
    path = tmp_path / "eight.safetensors"
    path.write_bytes(pack_weights(build("dmue_resnet18", classes=8).state_dict(), spec))
    with pytest.raises(ZooError, match="tells 8 classes apart, not 7"):
        add(zoo, Wanted("mine", path, "dmue_resnet18", classes=7))
    assert add(zoo, Wanted("mine", path, "dmue_resnet18", classes=8)).spec.heads == heads


SMALL = {"classes": 7, "side": 32, "blocks": [1, 1, 1], "token": 64}
POSTER = NetworkSpec("poster_v2", SMALL, (Head("emotion", ORDERS["rafdb"]),), CropSpec(32), "imagenet")


@pytest.mark.parametrize("how", ["another order", "out of range", "another kind of number"])
def test_a_table_of_positions_is_part_of_the_architecture(how: str) -> None:
    state = build("poster_v2", **SMALL).state_dict()
    table = state["attn1.relative_position_index"]
    state["attn1.relative_position_index"] = {
        "another order": table.flip(0).contiguous(),
        "out of range": table + 10**6,
        "another kind of number": table.double(),
    }[how]
    data = pack_weights(state, POSTER)
    with pytest.raises(ZooError, match=r"numbers places in another way .* attn1\.relative_position_index"):
        unpack_weights(data, entry_for(data, POSTER))


def test_weights_that_state_their_order_in_no_known_way() -> None:
    network = tiny_network()
    data = safetensors.torch.save(network.module.state_dict(), {"classes": "happiness first{"})
    entry = replace(network.entry, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    with pytest.raises(ZooError, match="states its class order in an unknown way"):
        unpack_weights(data, entry)


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("poster_v2", {"classes": 7, "side": 1600}),  # a table of positions of 200 GB
        ("poster_v2", {"classes": 7, "token": 8 * 10**6}),
        ("dmue_resnet18", {"classes": 10**18}),
    ],
)
def test_a_small_file_cannot_ask_for_a_giant(architecture: str, arguments: dict[str, int]) -> None:
    data = tiny_network()
    content = pack_weights(data.module.state_dict(), data.spec)
    spec = NetworkSpec(architecture, arguments, data.spec.heads, CropSpec(16), "half")
    with pytest.raises(ZooError, match=r"holds no .* with these arguments|^tiny: "):
        unpack_weights(content, entry_for(content, spec))


def test_a_giant_crop_is_refused_before_anything_is_cut() -> None:
    with pytest.raises(ZooError, match="crops of 30000 px are too large"):
        NetworkSpec("onnx", {}, POSTER.heads, CropSpec(30_000), "half")


@pytest.mark.parametrize("columns", [5, 0, -1])
def test_fewer_columns_than_classes(zoo: Zoo, tmp_path: Path, columns: int) -> None:
    path = tmp_path / "few.onnx"
    path.write_bytes(linear(max(columns, 1)).SerializeToString())
    with pytest.raises(ZooError, match=f"has {columns} columns by its description, too few for 8 classes"):
        add(zoo, Wanted("mine", path, order="affectnet", classes=8, normalisation="half", columns=columns))


def _model(
    node: onnx.NodeProto, inputs: list[onnx.ValueInfoProto], output: onnx.ValueInfoProto
) -> onnx.ModelProto:
    graph = helper.make_graph([node], "g", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


NUMBERS = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 8))
FACES = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, 16, 16))
CONSTANT = helper.make_node(
    "Constant", [], ["y"], value=numpy_helper.from_array(np.zeros((1, 8), np.float32))
)
LIST = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (linear(channels_last=True), r"reads \('batch', 16, 16, 3\), expected \(N, channels, S, S\)"),
        (linear(size=4), r"reads \('batch', 3, 4, 4\), .* S of 8 or more"),
        (_model(CONSTANT, [], NUMBERS), r"has 0 inputs \(\); one is expected"),
        (_model(helper.make_node("SequenceConstruct", ["x"], ["y"]), [FACES], LIST), "gives a list in 'y'"),
    ],
    ids=["channels last", "tiny", "no input", "a list"],
)
def test_graphs_of_another_form(zoo: Zoo, tmp_path: Path, model: onnx.ModelProto, message: str) -> None:
    path = tmp_path / "their.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ZooError, match=message):
        add(zoo, Wanted("mine", path, order="affectnet", classes=8, normalisation="half"))
    assert not zoo.data.exists()


def test_a_file_that_is_two_formats_is_read_as_the_one_that_was_looked_into() -> None:
    # onnxruntime has a format of its own, told by bytes 4 to 7; here they lie in a text field of an ONNX file.
    data = b"\x0a\x40\x00\x00ORTM" + bytes(58) + linear().SerializeToString()
    require_whole(data)
    assert crop_size(data, "both") == 16
    faces = torch.rand(2, 3, 16, 16)
    plain = OnnxModule(linear().SerializeToString(), 8, size=16)
    assert torch.equal(OnnxModule(data, 8, size=16)(faces), plain(faces))
