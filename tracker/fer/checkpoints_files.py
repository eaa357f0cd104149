"""The files that ``torch.save`` writes, read without running them: archives since torch 1.6, and before.

An archive is a zip of one pickle (``NAME/data.pkl``) and the numbers of each tensor (``NAME/data/KEY``),
stored as they are. The older form is a row of pickles with the numbers behind them.
"""

from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from tracker.fer.checkpoints_pickle import CheckpointError, Kept, Made, Name, read_pickle

_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY = 1001

_DTYPES: Final = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}

_TENSORS = (Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_tensor"))
_PARAMETER = Name("torch._utils", "_rebuild_parameter")

Numbers = Callable[[str], memoryview]
"""From a storage's key to its bytes."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor whose numbers still lie in the file; wherever they were computed, they are read to the CPU.

    Attributes
    ----------
    shape
        Its sizes.
    dtype
        Of its numbers.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    _stride: tuple[int, ...]
    _offset: int
    _key: str
    _numbers: Numbers

    def read(self) -> Tensor:
        """Copy the numbers into a tensor of its own.

        Raises
        ------
        CheckpointError
            When the file holds fewer numbers than the tensor has.
        """
        data = self._numbers(self._key)
        held = len(data) // self.dtype.itemsize
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=self.dtype)
        last = self._offset + sum((n - 1) * step for n, step in zip(self.shape, self._stride, strict=True))
        if last >= held or prod(self.shape) > held:
            raise CheckpointError(f"holds {held} numbers where a tensor {self.shape} needs more")
        whole = torch.frombuffer(bytearray(data), dtype=self.dtype)
        return whole.as_strided(self.shape, self._stride, self._offset).clone(
            memory_format=torch.contiguous_format
        )


@dataclass(frozen=True)
class TorchFile:
    """What a file holds: a tree as `read_pickle` gives it, with a `StoredTensor` for each tensor."""

    tree: Any
    numbers: Numbers

    def tensor(self, node: Any) -> StoredTensor | None:
        """Return the tensor that a part of the tree describes; None when it describes none.

        Raises
        ------
        CheckpointError
            When it claims to be a tensor and contradicts itself.
        """
        if isinstance(node, Made) and node.what == _PARAMETER and isinstance(node.arguments, tuple):
            node = node.arguments[0] if node.arguments else None
        if not isinstance(node, Made) or node.what not in _TENSORS:
            return None
        try:
            storage, offset, shape, stride = node.arguments[:4]
            kind, storage_class, key = storage.id[:3]
        except (TypeError, ValueError, AttributeError) as error:
            raise CheckpointError("describes a tensor in an unknown way") from error
        sizes = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride)
        if kind != "storage" or not isinstance(key, str) or not sizes:
            raise CheckpointError("describes a tensor in an unknown way")
        whole = (*shape, *stride, offset)
        if any(type(n) is not int or not 0 <= n < 1 << 48 for n in whole):
            raise CheckpointError("describes a tensor of impossible size")
        if not isinstance(storage_class, Name) or storage_class.name not in _DTYPES:
            # Only a name is said: what else a file puts here may be nested until nothing could print it.
            kind = f": {storage_class.name}" if isinstance(storage_class, Name) else ""
            raise CheckpointError(f"holds numbers of an unknown kind{kind}")
        return StoredTensor(shape, _DTYPES[storage_class.name], stride, offset, key, self.numbers)


def read_torch_file(path: Path) -> TorchFile:
    """Read a file that ``torch.save`` wrote; nothing in it is executed.

    Parameters
    ----------
    path
        Of either form; files that torch wrote before 2017 (tar) are not read.

    Raises
    ------
    CheckpointError
        When it is missing, truncated, or none of torch's files.
    """
    try:
        with path.open("rb") as file:
            # Whoever holds a piece of it keeps the map alive.
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is empty") from error
    try:
        return _archive(path, whole) if bytes(whole[:2]) == b"PK" else _row_of_pickles(whole)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {_said(error)}") from error


def _said(error: CheckpointError) -> str:
    text = str(error)
    return f"cannot be read: {text}" if text.startswith("the pickle") else text


def _archive(path: Path, whole: memoryview) -> TorchFile:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            names = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
            if len(names) != 1:
                raise CheckpointError("is a zip archive, but none that torch.save wrote")
            folder = names[0].removesuffix("data.pkl")
            if f"{folder}constants.pkl" in members:
                raise CheckpointError(
                    "is a TorchScript program, not a checkpoint; give the file with the weights"
                )
            if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
                raise CheckpointError("is compressed, which torch.save never does")
            order = f"{folder}byteorder"
            if order in members and archive.read(order) != b"little":
                raise CheckpointError("was written on a big-endian machine, which is not read")
            with archive.open(names[0]) as pickle:
                tree = read_pickle(pickle)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise CheckpointError("is truncated or damaged; copy or download it again") from error

    def numbers(key: str) -> memoryview:
        info = members.get(f"{folder}data/{key}")
        if info is None:
            raise CheckpointError(f"lacks the numbers {key!r} that its weights name")
        return _stored(whole, info)

    return TorchFile(tree, numbers)


def _stored(whole: memoryview, info: zipfile.ZipInfo) -> memoryview:
    """Return the bytes of a stored member, found by its own header, as the zip format has it."""
    at = info.header_offset
    if len(whole) < at + 30 or bytes(whole[at : at + 4]) != b"PK\x03\x04":
        raise CheckpointError("is truncated or damaged; copy or download it again")
    name, extra = struct.unpack("<HH", whole[at + 26 : at + 30])
    start = at + 30 + name + extra
    data = whole[start : start + info.file_size]
    if len(data) < info.file_size or zlib.crc32(data) != info.CRC:
        raise CheckpointError("is truncated or damaged; copy or download it again")
    return data


class _Reader:
    """A stream over a map, which ``pickletools`` can read and which knows its place."""

    def __init__(self, whole: memoryview) -> None:
        self._whole = whole
        self._at = 0

    def read(self, n: int = -1, /) -> bytes:
        end = len(self._whole) if n < 0 else min(self._at + n, len(self._whole))
        piece = bytes(self._whole[self._at : end])
        self._at = end
        return piece

    def readline(self) -> bytes:
        rest = self._whole[self._at :]
        for length in (1 << 12, 1 << 20):  # lines of text are short; a file without any ends soon
            piece = bytes(rest[:length])
            if (end := piece.find(b"\n")) >= 0:
                return self.read(end + 1)
        return self.read(1 << 20)

    def tell(self) -> int:
        return self._at

    def take(self, n: int) -> memoryview:
        piece = self._whole[self._at : self._at + n]
        if len(piece) < n:
            raise CheckpointError("is truncated; copy or download it again")
        self._at += n
        return piece


def _row_of_pickles(whole: memoryview) -> TorchFile:
    reader = _Reader(whole)
    try:
        magic = read_pickle(reader)
    except CheckpointError as error:
        raise CheckpointError("is no file that torch.save wrote") from error
    if type(magic) is not int or magic != _MAGIC:
        raise CheckpointError("is a pickle, but no checkpoint that torch.save wrote")
    protocol, system, tree, keys = (read_pickle(reader) for _ in range(4))
    if protocol != _LEGACY or not isinstance(system, dict):
        raise CheckpointError("has an unknown protocol")
    if system.get("little_endian") is False:
        raise CheckpointError("was written on a big-endian machine, which is not read")
    sizes = _sizes(tree)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise CheckpointError("lists its numbers in an unknown way")
    found: dict[str, memoryview] = {}
    for key in keys:
        (count,) = struct.unpack("<q", reader.take(8))
        if count < 0 or key not in sizes:
            raise CheckpointError(f"holds numbers {key!r} that no tensor of it names")
        found[key] = reader.take(count * sizes[key])

    def numbers(key: str) -> memoryview:
        if key not in found:
            raise CheckpointError(f"lacks the numbers {key!r} that its weights name")
        return found[key]

    return TorchFile(tree, numbers)


def _sizes(tree: Any) -> dict[str, int]:
    """Bytes per number of every storage that a tree names; without recursion, each part once."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or isinstance(node, (str, bytes, int, float)):
            continue
        seen.add(id(node))
        if isinstance(node, dict):
            waiting += [*node, *node.values()]
        elif isinstance(node, (list, tuple)):
            waiting += node
        elif isinstance(node, Made):
            waiting += [node.what, node.arguments, node.state, node.entries]
        elif isinstance(node, Kept):
            waiting.append(node.id)
            match node.id:
                case ("storage", Name(name=name), str(key), _, _, view) if name in _DTYPES and view is None:
                    found[key] = _DTYPES[name].itemsize
                case ("storage", Name(name=name), *_):
                    raise CheckpointError(f"holds numbers of an unknown kind or in views: {name}")
    return found
