"""Networks that come as ONNX files, run by onnxruntime (the extra ``onnx``), to the engine like any other."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.fer.device import DeviceError
from tracker.fer.manifest import Entry, ZooError
from tracker.fer.onnx_graph import require_whole
from tracker.fer.preprocess import channels
from tracker.fer.weights import read_pinned

ONNX = "onnx"
"""The architecture of an entry whose file brings its own graph."""

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_NO_MEMORY = ("Failed to allocate memory", "bad_alloc", "bad allocation", "out of memory")
_SMALLEST = float(np.finfo(np.float32).tiny)
_SMALLEST_FACE = 8  # pixels; a crop cannot be smaller
_ARGUMENTS = {"columns", "output"}


class OnnxModule(nn.Module):
    """A network whose layers only onnxruntime knows.

    It has no parameters that torch could see, train, fuse or compile. Called on (N, C, S, S) float, it
    returns logits (N, classes) on the same device. Answers that are probabilities already (none below 0,
    each row's sum 1, for a probe of noise) are turned into their logarithms, which are logits of them.

    Parameters
    ----------
    data
        The file's bytes; see `tracker.fer.onnx_graph.require_whole` for what is refused.
    classes
        How many of the first columns are emotions.
    size, planes
        Pixels and channels of the crops that it reads.
    columns
        How many columns there are; those after `classes` are something else (valence and arousal in
        networks trained for both) and are dropped. None: as many as `classes`.
    output
        Name of the output with the columns; None takes the first.
    name
        What errors call the file.

    Raises
    ------
    ZooError
        When onnxruntime is not installed, or the file is damaged, reads other crops or gives other columns.
    """

    def __init__(
        self,
        data: bytes,
        classes: int,
        *,
        size: int,
        planes: int = 3,
        columns: int | None = None,
        output: str | None = None,
        name: str = "the ONNX file",
    ) -> None:
        super().__init__()
        require_whole(data, name)
        self._data, self._name, self._classes, self._columns = (
            data,
            name,
            classes,
            columns if columns is not None else classes,
        )
        if self._columns < classes:
            raise ZooError(f"{name} has {columns} columns by its description, too few for {classes} classes")
        self._shape = (planes, size, size)
        self._device = torch.device("cpu")
        self._session = _session(data, self._device, name)
        self._batch = self._fixed_batch()
        self._input = self._session.get_inputs()[0].name
        self._output = self._named(output)
        self._probabilities = self._probe()

    @property
    def devices(self) -> tuple[str, ...]:
        """Kinds of devices that this onnxruntime can use."""
        there = _runtime(self._name).get_available_providers()
        return tuple(kind for kind, provider in _PROVIDERS.items() if provider in there)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._device

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device: ``cpu`` or ``cuda``; types and memory formats are onnxruntime's own affair.

        Raises
        ------
        DeviceError
            When this onnxruntime cannot use the device.
        """
        device = torch._C._nn._parse_to(*args, **kwargs)[0]
        if device is not None and device != self._device:
            if device.type not in self.devices:
                raise DeviceError(
                    f"{self._name} runs in onnxruntime, which can use {', '.join(self.devices)} here, "
                    f"not {device.type}; for CUDA install onnxruntime-gpu in place of onnxruntime"
                )
            self._session = _session(self._data, device, self._name)
            self._device = device
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> OnnxModule:
        twin = copy.copy(self)  # on another device one day, so with a session of its own
        twin._session = _session(self._data, self._device, self._name)
        return twin

    def forward(self, faces: Tensor) -> Tensor:
        """Return logits (N, classes) for faces (N, C, S, S); N may be 0."""
        if faces.ndim != 4 or tuple(faces.shape[1:]) != self._shape:
            expected = ", ".join(map(str, self._shape))
            raise ValueError(f"{self._name} reads (N, {expected}); these have {tuple(faces.shape)}")
        pixels = faces.detach().float().cpu().contiguous().numpy()
        found = torch.from_numpy(self._run(pixels))[:, : self._classes]
        if self._probabilities:
            found = found.clamp_min(_SMALLEST).log()
        return found.to(faces.device)

    def _run(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(pixels) == 0:
            return np.zeros((0, self._columns), np.float32)
        if self._batch is None:
            return self._once(pixels)
        parts = []
        for start in range(0, len(pixels), self._batch):
            chunk = pixels[start : start + self._batch]
            filled = np.zeros((self._batch, *self._shape), np.float32)
            filled[: len(chunk)] = chunk
            parts.append(self._once(filled)[: len(chunk)])
        return np.concatenate(parts)

    def _once(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (found,) = self._session.run([self._output], {self._input: pixels})
        except Exception as error:  # onnxruntime has a dozen kinds, without a common one
            said = _first_line(error)
            if any(words in said for words in _NO_MEMORY):
                raise torch.OutOfMemoryError(said) from error
            raise RuntimeError(f"onnxruntime: {said}") from error
        if not isinstance(found, np.ndarray):  # a sequence or a map, as other kinds of learners give
            raise ValueError(f"{self._name} gives a {type(found).__name__} in {self._output!r}, not numbers")
        if found.shape != (len(pixels), self._columns):
            raise ValueError(
                f"{self._name} gives {found.shape} for {len(pixels)} faces, expected "
                f"({len(pixels)}, {self._columns})"
            )
        return np.asarray(found, np.float32)

    def _fixed_batch(self) -> int | None:
        """How many faces the graph reads at a time where that is written into it; None: any number."""
        only = _only_input(self._session, self._name)
        shape = only.shape
        wrong = len(shape) != 4 or any(
            isinstance(there, int) and there != wanted
            for there, wanted in zip(shape[1:], self._shape, strict=True)
        )
        if only.type != "tensor(float)" or wrong:
            raise ZooError(
                f"{self._name} reads {only.type} {tuple(shape)}, expected tensor(float) "
                f"(N, {', '.join(map(str, self._shape))})"
            )
        return shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None

    def _named(self, output: str | None) -> str:
        outputs = [o.name for o in self._session.get_outputs()]
        if output is None:
            return str(outputs[0])
        if output not in outputs:
            raise ZooError(f"{self._name} has no output {output!r}; it has: {', '.join(outputs)}")
        return output

    def _probe(self) -> bool:
        """Run it once on noise: it must give what it should; tell whether that is probabilities."""
        noise = np.random.default_rng(0).normal(size=(4, *self._shape)).astype(np.float32)
        try:
            found = self._run(noise)[:, : self._classes]
        except (RuntimeError, ValueError) as error:
            raise ZooError(f"{self._name} cannot read faces: {error}") from error
        return bool(np.all(found >= 0) and np.allclose(found.sum(axis=1), 1, atol=1e-3))


def crop_size(data: bytes, name: str) -> int | None:
    """Return how many pixels wide the faces are that an ONNX file reads; None where it takes any.

    Raises
    ------
    ZooError
        See `OnnxModule`.
    """
    require_whole(data, name)
    shape = _only_input(_session(data, torch.device("cpu"), name), name).shape
    if len(shape) != 4 or not isinstance(shape[3], int):
        return None
    if shape[3] < _SMALLEST_FACE:
        raise ZooError(
            f"{name} reads {tuple(shape)}, expected (N, channels, S, S) with S of {_SMALLEST_FACE} or more"
        )
    return shape[3]


def _only_input(session: Any, name: str) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        there = ", ".join(one.name for one in inputs)
        raise ZooError(f"{name} has {len(inputs)} inputs ({there}); one is expected")
    return inputs[0]


def load_onnx(path: Path, entry: Entry) -> OnnxModule:
    """Open an entry's ONNX file, checked against its pin, its columns and its crop.

    Raises
    ------
    ZooError
        When the file is missing, damaged, not the one in the manifest, or does something else than it says.
    """
    return open_onnx(read_pinned(path, entry), entry, str(path))


def open_onnx(data: bytes, entry: Entry, path: str = "the ONNX file") -> OnnxModule:
    """Open the bytes of an ONNX file as an entry describes them; see `load_onnx`."""
    spec = entry.spec
    if unknown := sorted(set(spec.arguments) - _ARGUMENTS):
        raise ZooError(f"{entry.name}: the argument {unknown[0]!r} is unknown to {ONNX}")
    if len(spec.heads) != 1:
        raise ZooError(f"{entry.name}: an {ONNX} network has one head, not {len(spec.heads)}")
    return OnnxModule(
        data,
        len(spec.heads[0].classes),
        size=spec.crop.size,
        planes=channels(spec.normalisation),
        columns=spec.arguments.get("columns"),
        output=spec.arguments.get("output"),
        name=path,
    ).eval()


def _runtime(name: str) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra: who has no ONNX network needs none
    except ImportError as error:
        raise ZooError(
            f"{name} needs onnxruntime, which is not installed; run: pip install 'affect-tracker[onnx]'"
        ) from error
    return onnxruntime


def _session(data: bytes, device: torch.device, name: str) -> Any:
    runtime = _runtime(name)
    options = runtime.SessionOptions()
    # What was looked into is what is read: no other format, whatever the bytes say of themselves.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.log_severity_level = 4  # what goes wrong is raised, and said in one line
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others use these cores too
    provider = _PROVIDERS[device.type]
    choices = {"device_id": device.index or 0} if device.type == "cuda" else {}
    try:
        session = runtime.InferenceSession(data, options, providers=[(provider, choices)])
    except Exception as error:  # see OnnxModule._once
        raise ZooError(f"{name} cannot be opened by onnxruntime: {_first_line(error)}") from error
    if provider not in session.get_providers():
        raise DeviceError(f"onnxruntime could not start {provider} on {device}; try --device cpu")
    return session


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
