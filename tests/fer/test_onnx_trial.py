"""Graphs that would not end, or would take all memory: refused by a child that is limited, not computed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.fer.onnx_making import linear
from tracker import shipped
from tracker.fer import onnx_trial
from tracker.fer.adding import Wanted, add
from tracker.fer.manifest import ZooError
from tracker.fer.onnx_trial import require_frugal
from tracker.fer.zoo import Zoo


def graph(*nodes: onnx.NodeProto, numbers: dict[str, np.ndarray]) -> bytes:
    """A graph that reads faces of 16 pixels, and gives them through `nodes`, from ``input`` to ``label``."""
    made = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ("batch", 3, 16, 16))],
        [helper.make_tensor_value_info("label", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in numbers.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString()


def endless() -> bytes:
    """Counts to 2^62."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, ()),
            helper.make_tensor_value_info("going", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["turns", "yes", "input"], ["label"], body=body)
    return graph(loop, numbers={"turns": np.int64(2**62), "yes": np.bool_(True)})


def huge() -> bytes:
    """A few bytes that unfold into a tebibyte for each number of a face."""
    return graph(
        helper.make_node("Expand", ["input", "shape"], ["wide"]),
        helper.make_node("ReduceMax", ["wide"], ["label"], keepdims=0),
        numbers={"shape": np.array([1 << 30, 4, 3, 16, 16], np.int64)},
    )


def test_a_graph_that_does_not_end_is_stopped() -> None:
    with pytest.raises(
        ZooError, match=r"loop\.onnx did not finish reading 4 faces of noise within 3 seconds"
    ):
        require_frugal(endless(), "loop.onnx", seconds=3)


def test_a_graph_that_takes_all_memory_is_refused() -> None:
    with pytest.raises(ZooError, match=r"wide\.onnx needs more than 6\.0 GiB"):
        require_frugal(huge(), "wide.onnx")


def test_what_is_wrong_in_another_way_is_left_to_who_says_it_in_detail() -> None:
    require_frugal(b"no graph", "text.onnx")
    require_frugal(linear(size=16).SerializeToString(), "good.onnx")


@pytest.mark.parametrize("bytes_of", [endless, huge])
def test_neither_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_of: object) -> None:
    assert callable(bytes_of)
    monkeypatch.setattr(onnx_trial, "SECONDS", 3)
    file = tmp_path / "theirs.onnx"
    file.write_bytes(bytes_of())
    zoo = Zoo(shipped.models(), tmp_path / "data")
    wanted = Wanted("theirs", file, classes=7, order="fer2013", normalisation="imagenet")
    with pytest.raises(ZooError, match="it is not added"):
        add(zoo, wanted)
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").rglob("*.onnx"))
