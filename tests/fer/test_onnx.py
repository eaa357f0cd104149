import io
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper

from tests.fer.making import EIGHT, crops, entry_for, tiny_network
from tests.fer.onnx_making import expected, linear
from tracker.domain.framing import CropSpec
from tracker.fer import onnx_graph
from tracker.fer.device import DeviceError
from tracker.fer.engine import Engine, EngineError
from tracker.fer.manifest import Entry, Head, NetworkSpec, ZooError
from tracker.fer.onnx_graph import require_whole
from tracker.fer.onnx_network import OnnxModule, load_onnx
from tracker.fer.preprocess import prepare
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Network, Zoo

FACES = np.random.default_rng(1).normal(size=(5, 3, 16, 16)).astype(np.float32)


def _entry(data: bytes, classes: tuple[str, ...] = EIGHT, **arguments: object) -> Entry:
    spec = NetworkSpec("onnx", arguments, (Head("ferplus", classes),), CropSpec(16), "half")
    return entry_for(data, spec, "graph", file="graph/network.onnx")


def _network(model: onnx.ModelProto, folder: Path, **arguments: object) -> Network:
    entry = _entry(data := model.SerializeToString(), **arguments)
    path = folder / entry.file
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return Network(entry, load_onnx(path, entry))


@pytest.mark.parametrize("batch", ["batch", 1, 2, 5, 64])
def test_logits_are_the_graphs_whatever_batch_is_written_into_it(batch: int | str) -> None:
    module = OnnxModule(linear(batch=batch).SerializeToString(), 8, size=16)
    assert np.allclose(module(torch.from_numpy(FACES)).numpy(), expected(FACES), atol=1e-5)
    assert module(torch.zeros(0, 3, 16, 16)).shape == (0, 8)


def test_columns_after_the_classes_are_dropped() -> None:
    module = OnnxModule(linear(10).SerializeToString(), 8, size=16, columns=10)
    assert np.allclose(module(torch.from_numpy(FACES)).numpy(), expected(FACES, 10)[:, :8], atol=1e-5)


def test_probabilities_become_logits_that_say_the_same() -> None:
    module = OnnxModule(linear(softmax=True).SerializeToString(), 8, size=16)
    plain = OnnxModule(linear().SerializeToString(), 8, size=16)
    faces = torch.from_numpy(FACES)
    assert torch.allclose(module(faces).softmax(1), plain(faces).softmax(1), atol=1e-5)
    assert not torch.allclose(module(faces), plain(faces), atol=1e-2)


def test_the_engine_reads_it_like_any_other(tmp_path: Path) -> None:
    engine = Engine(_network(linear(), tmp_path), "cpu", batch_size=2)
    pixels = crops(5)
    readings = engine.read(pixels)
    z = expected(prepare(torch.from_numpy(pixels), "half").numpy()).astype(np.float64)
    wanted = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert np.allclose(readings.probabilities, wanted, atol=1e-5)


def test_nan_is_an_error_never_a_reading(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="not finite"):
        Engine(_network(linear(broken=True), tmp_path), "cpu").read(crops(2))


def test_the_zoo_loads_it(tmp_path: Path) -> None:
    network = _network(linear(), tmp_path / "models")
    write_manifest(tmp_path / "models" / "manifest.toml", [network.entry])
    zoo = Zoo(tmp_path / "models", tmp_path / "data")
    assert [v.state for v in zoo.verify()] == ["ok"]
    assert zoo.load("graph").id == network.id
    path = tmp_path / "models" / network.entry.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ZooError, match="is not the file in the manifest"):
        zoo.load("graph")


def test_a_graph_of_another_size_of_face(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"reads tensor\(float\) .*16, 16\), expected .*\(N, 3, 32, 32\)"):
        OnnxModule(linear().SerializeToString(), 8, size=32)
    with pytest.raises(ValueError, match=r"reads \(N, 3, 16, 16\); these have \(2, 3, 8, 8\)"):
        OnnxModule(linear().SerializeToString(), 8, size=16)(torch.zeros(2, 3, 8, 8))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (linear(kind=TensorProto.DOUBLE), r"reads tensor\(double\)"),
        (linear(planes=1), r"expected tensor\(float\) \(N, 3, 16, 16\)"),
        (linear(7), r"gives \(4, 7\) for 4 faces, expected \(4, 8\)"),
        (linear(10), r"gives \(4, 10\) for 4 faces"),
        (linear(channels_last=True), r"expected tensor\(float\) \(N, 3, 16, 16\)"),
    ],
)
def test_graphs_that_do_something_else(model: onnx.ModelProto, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        OnnxModule(model.SerializeToString(), 8, size=16)


def test_an_output_or_argument_that_is_not_there(tmp_path: Path) -> None:
    data = linear().SerializeToString()
    with pytest.raises(ZooError, match="has no output 'emotion'; it has: label"):
        OnnxModule(data, 8, size=16, output="emotion")
    (tmp_path / "n").write_bytes(data)
    with pytest.raises(ZooError, match="argument 'colour' is unknown to onnx"):
        load_onnx(tmp_path / "n", _entry(data, colour="red"))


def test_an_operator_that_nobody_knows() -> None:
    model = linear()
    model.graph.node[0].op_type = "Mindreading"
    with pytest.raises(ZooError, match=r"cannot be opened by onnxruntime: .*Mindreading") as found:
        OnnxModule(model.SerializeToString(), 8, size=16)
    assert "\n" not in str(found.value)


def test_two_inputs() -> None:
    model = linear()
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, (1,)))
    with pytest.raises(ZooError, match=r"has 2 inputs \(input, other\)"):
        OnnxModule(model.SerializeToString(), 8, size=16)


@pytest.mark.parametrize("told", ["by both", "by its place alone", "by its path alone"])
def test_weights_in_another_file_are_refused(told: str) -> None:
    model = linear()
    weight = model.graph.initializer[0]
    external_data_helper.set_external_data(weight, "../../elsewhere.bin")
    if told == "by its place alone":
        weight.ClearField("external_data")
    elif told == "by its path alone":
        weight.ClearField("data_location")
    with pytest.raises(ZooError, match="keeps the weight 'matrix' in another file"):
        OnnxModule(model.SerializeToString(), 8, size=16)


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    data = linear().SerializeToString()
    monkeypatch.setattr(onnx_graph, "LARGEST", len(data) - 1)
    with pytest.raises(
        ZooError, match=f"has {len(data)} bytes; ONNX files of up to {len(data) - 1} are read"
    ):
        OnnxModule(data, 8, size=16)


def test_weights_in_another_file_are_found_in_constants_and_inner_graphs() -> None:
    inner = linear().graph.initializer[0]
    external_data_helper.set_external_data(inner, "x")
    constant = helper.make_node("Constant", [], ["c"], value=inner)
    branch = helper.make_graph([constant], "then", [], [])
    model = linear()
    model.graph.node.append(helper.make_node("If", ["b"], ["c"], then_branch=branch, else_branch=branch))
    with pytest.raises(ZooError, match="in another file"):
        require_whole(model.SerializeToString())


def _refused(data: bytes) -> str:
    """Why bytes are refused, or nothing; any other error gets out."""
    try:
        require_whole(data)
    except ZooError as error:
        return str(error)
    return ""


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_gets_past_with_anything_but_one_line(data: st.DataObject) -> None:
    """Whatever is cut off or bent: an error of ours, or a graph that still gives finite columns or says why not."""
    whole = linear().SerializeToString()
    end = data.draw(st.integers(0, len(whole)))
    bent = bytearray(whole[:end])
    for _ in range(data.draw(st.integers(0, 3)) if bent else 0):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    assert "\n" not in _refused(bytes(bent))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_look(data: bytes) -> None:
    said = _refused(data)
    assert not said or "not an ONNX file" in said or "in another file" in said


@pytest.mark.parametrize(
    "data", [b"", b"version https://git-lfs.github.com/spec/v1\n", b"\x80\x04pickled", b"<html>"]
)
def test_what_is_no_onnx(data: bytes) -> None:
    with pytest.raises(ZooError, match="is not an ONNX file"):
        OnnxModule(data, 8, size=16)


def test_every_cut_is_found() -> None:
    whole = linear().SerializeToString()
    require_whole(whole)
    for end in range(0, len(whole) - 20, 7):  # what follows the graph are a few bytes about the opset
        with pytest.raises(ZooError):
            OnnxModule(whole[:end], 8, size=16)


def test_graphs_within_graphs_without_end() -> None:
    model = b""
    for _ in range(200):  # node(1) -> attribute(5) -> graph(6) -> ...
        for field in (6, 5, 1):
            model = bytes([field << 3 | 2]) + _length(model) + model
    with pytest.raises(ZooError, match="is not an ONNX file"):
        require_whole(bytes([7 << 3 | 2]) + _length(model) + model)


def _length(data: bytes) -> bytes:
    value, out = len(data), b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ZooError, match=r"pip install 'affect-tracker\[onnx\]'"):
        OnnxModule(linear().SerializeToString(), 8, size=16)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in __import__("onnxruntime").get_available_providers(), reason="CUDA is there"
)
def test_a_device_that_it_cannot_use() -> None:
    module = OnnxModule(linear().SerializeToString(), 8, size=16)
    assert module.devices == ("cpu",)
    with pytest.raises(DeviceError, match="can use cpu here, not cuda; for CUDA install onnxruntime-gpu"):
        module.to("cuda")
    assert module.to("cpu", memory_format=torch.channels_last) is module


def test_seven_classes(tmp_path: Path) -> None:
    data = linear(7).SerializeToString()
    (tmp_path / "n").write_bytes(data)
    module = load_onnx(tmp_path / "n", _entry(data, EIGHT[:7]))
    assert module(torch.from_numpy(FACES)).shape == (5, 7)
    two = replace(_entry(data, EIGHT[:7]).spec, heads=(Head("a", EIGHT), Head("b", EIGHT)))
    with pytest.raises(ZooError, match="has one head, not 2"):
        load_onnx(tmp_path / "n", entry_for(data, two, "graph"))


class _OneHead(torch.nn.Module):
    def __init__(self, inside: torch.nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.inside(x)["ferplus"]
        return logits


def test_a_network_that_torch_exported_reads_as_before() -> None:
    """A real network with convolutions, as its makers would export it, in grey."""
    ours = _OneHead(tiny_network().module).eval()
    written = io.BytesIO()
    axes = {"input": {0: "n"}, "label": {0: "n"}}
    names = {"input_names": ["input"], "output_names": ["label"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the other exporter needs one more package
        torch.onnx.export(
            ours, (torch.zeros(2, 1, 16, 16),), written, dynamo=False, dynamic_axes=axes, **names
        )
    theirs = OnnxModule(written.getvalue(), 8, size=16, planes=1)
    faces = torch.randn(5, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(theirs(faces), ours(faces), atol=1e-5)
