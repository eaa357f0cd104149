"""Files that are damaged, cut, or not torch's at all."""

import io
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fer.checkpoints.saving import save
from tracker.fer.checkpoints import CheckpointError, read_weights
from tracker.fer.checkpoints_files import read_torch_file

CONTENT = {
    "epoch": 2,
    "state_dict": {"module.a": torch.arange(6.0).reshape(2, 3), "module.b": torch.tensor([1, 2])},
    "seen": {(1, 2), "x"},
}


def _bytes(legacy: bool, content: Any = CONTENT) -> bytes:
    out = io.BytesIO()
    torch.save(content, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


WHOLE = {legacy: _bytes(legacy) for legacy in (False, True)}


def _read(path: Path) -> dict[str, Tensor]:
    return {name: value.read() for name, value in read_weights(path).items()}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "dtype",
    [
        torch.float64, torch.float32, torch.float16, torch.bfloat16,
        torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
    ],
)  # fmt: skip
def test_every_kind_of_number_and_every_view_is_read_as_torch_reads_it(
    tmp_path: Path, dtype: torch.dtype, legacy: bool
) -> None:
    whole = (torch.arange(24) % 2).reshape(2, 3, 4).to(dtype)
    content = {"whole": whole, "view": whole[1, :, 1::2].T, "one": whole[0, 0, 1], "none": whole[:0]}
    path = save(tmp_path / "kinds.pth", content, legacy)
    expected = torch.load(path, weights_only=True)
    found = _read(path)
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert all(found[name].dtype == dtype for name in found)


@given(data=st.data(), legacy=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_truncation_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, legacy: bool
) -> None:
    whole = WHOLE[legacy]
    length = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.getbasetemp() / "cut.pth"
    path.write_bytes(whole[:length])
    with pytest.raises(CheckpointError, match=r"truncated|damaged|is empty|torch\.save|numbers"):
        _read(path)


@given(data=st.data(), legacy=st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_damage_is_an_error_or_leaves_tensors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, legacy: bool
) -> None:
    whole = bytearray(WHOLE[legacy])
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    path.write_bytes(whole)
    with suppress(CheckpointError):
        assert all(isinstance(value, Tensor) for value in _read(path).values())


def test_a_changed_number_in_an_archive_is_noticed(tmp_path: Path) -> None:
    whole = bytearray(WHOLE[False])
    at = whole.index(torch.arange(6.0).numpy().tobytes())
    whole[at + 4] ^= 1
    (tmp_path / "changed.pth").write_bytes(whole)
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        _read(tmp_path / "changed.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "is no file that torch.save wrote"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is no file that torch.save wrote"),
        (pickle.dumps({"a": 1}), "is a pickle, but no checkpoint"),
        (b"PK\x03\x04" + bytes(60), "truncated or damaged"),
    ],
)
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        read_torch_file(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.pth cannot be read: No such file"):
        read_torch_file(tmp_path / "nothing.pth")
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        read_torch_file(tmp_path)


def _rewritten(path: Path, change: Any, compression: int = zipfile.ZIP_STORED) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE[False])) as old, zipfile.ZipFile(out, "w", compression) as new:
        members = {info.filename: old.read(info) for info in old.infolist()}
        for name, data in change(members).items():
            new.writestr(name, data)
    path.write_bytes(out.getvalue())
    return path


def _folder(members: dict[str, bytes]) -> str:
    return next(iter(members)).split("/")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: {"readme.txt": b"hello"}, "is a zip archive, but none that torch.save wrote"),
        (lambda m: {**m, f"{_folder(m)}/constants.pkl": b"."}, "is a TorchScript program"),
        (lambda m: {**m, f"{_folder(m)}/byteorder": b"big"}, "big-endian"),
        (
            lambda m: {name: data for name, data in m.items() if not name.endswith("data/0")},
            "lacks the numbers '0'",
        ),
        (
            lambda m: {**m, f"{_folder(m)}/data/0": b"1234"},
            r"holds 1 numbers where a tensor \(2, 3\) needs more",
        ),
    ],
)
def test_archives_of_another_kind(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        _read(_rewritten(tmp_path / "other.zip", change))


def test_a_compressed_archive_cannot_swell(tmp_path: Path) -> None:
    path = _rewritten(tmp_path / "bomb.pth", dict, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="is compressed"):
        _read(path)


def test_a_tensor_cannot_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    content = {"swollen": torch.zeros(1).expand(1 << 20, 1 << 20)}
    for legacy in (False, True):
        path = save(tmp_path / "swollen.pth", content, legacy)
        assert path.stat().st_size < 10_000
        with pytest.raises(CheckpointError, match="needs more"):
            _read(path)
