"""Small ONNX files for tests, made by the format's own library."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = tuple[int | str, ...]


def weights(columns: int, planes: int = 3, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(planes, columns) and (columns,): what the graph multiplies a face's mean colours with, and adds."""
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(planes, columns)).astype(np.float32),
        rng.normal(size=columns).astype(np.float32),
    )


def linear(
    columns: int = 8,
    size: int | str = 16,
    *,
    batch: int | str = "batch",
    planes: int = 3,
    kind: int = TensorProto.FLOAT,
    softmax: bool = False,
    broken: bool = False,
    channels_last: bool = False,
    seed: int = 0,
) -> onnx.ModelProto:
    """A network that is linear in a face's mean colours: its answers can be worked out with NumPy."""
    matrix, offset = weights(columns, planes, seed)
    if broken:
        offset[0] = np.nan
    shape: Shape = (batch, size, size, planes) if channels_last else (batch, planes, size, size)
    order = (0, 3, 1, 2) if channels_last else (0, 1, 2, 3)
    nodes = [
        helper.make_node("Cast", ["input"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["turned"], perm=order),
        helper.make_node("GlobalAveragePool", ["turned"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "offset"], ["plain"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["plain"], ["label"], axis=1))
    else:
        nodes.append(helper.make_node("Identity", ["plain"], ["label"]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("input", kind, shape)],
        [helper.make_tensor_value_info("label", TensorProto.FLOAT, (batch, columns))],
        [numpy_helper.from_array(matrix, "matrix"), numpy_helper.from_array(offset, "offset")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def expected(faces: NDArray[np.float32], columns: int = 8, seed: int = 0) -> NDArray[np.float32]:
    """What `linear` gives for (N, planes, S, S)."""
    matrix, offset = weights(columns, faces.shape[1], seed)
    return faces.mean(axis=(2, 3)) @ matrix + offset
