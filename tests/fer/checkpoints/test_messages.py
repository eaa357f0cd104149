"""What a file holds may stand in an error: as one short line, whatever it is made of."""

import struct
import zipfile
from pathlib import Path

import pytest

from tracker.fer.checkpoints import CheckpointError, identify, read_weights
from tracker.fer.checkpoints_forms import target_branch
from tracker.fer.manifest import LONGEST

STORAGE = b"ctorch\nFloatStorage\n"
LAUGHS = b")" + b"2\x86" * 24  # a pair of the last, over and over: 2 ** 24 places in all, if one wrote it out
DEEP = b")" + b"\x85" * 20_000  # a tuple in a tuple, more often than any recursion goes
LARGE = b"\x8b" + struct.pack("<i", 3000) + b"\xff" * 2999 + b"\0"  # an integer of 7,200 digits


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _tensor(storage: bytes = STORAGE, shape: bytes = b"(K\x07K\x02t") -> bytes:
    kept = b"(" + _text("storage") + storage + _text("0") + _text("cpu") + b"K\x0etQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + kept + b"K\0" + shape + b"(K\x02K\x01t\x89]tR"


def _archive(path: Path, pickle: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + pickle + b".")
        archive.writestr("a/data/0", bytes(56))
    return path


def _weights(path: Path, name: str, tensor: bytes) -> Path:
    return _archive(path, b"}(" + _text(name) + tensor + b"u")


@pytest.mark.parametrize("what", [LAUGHS, DEEP, LARGE], ids=["laughs", "deep", "large"])
@pytest.mark.parametrize("where", ["storage", "shape"])
def test_what_cannot_be_written_out_is_not(tmp_path: Path, what: bytes, where: str) -> None:
    tensor = _tensor(storage=what) if where == "storage" else _tensor(shape=b"(" + what + b"K\x01t")
    with pytest.raises(CheckpointError, match=r"unknown kind|impossible size") as found:
        read_weights(_weights(tmp_path / "a.pth", "fc.weight", tensor))
    assert len(str(found.value)) < LONGEST


@pytest.mark.parametrize("name", ["a\x1b[2J\nb\r", "\u202eb", "\x9b31m"])
def test_a_terminal_does_not_obey_a_name(tmp_path: Path, name: str) -> None:
    whole = _text(name) + _text(name) + b"\x93)R"
    for path in (
        _weights(tmp_path / "a.pth", name, _tensor()),
        _archive(tmp_path / "b.pth", b"\x80\x04" + whole),
    ):
        with pytest.raises(CheckpointError) as found:
            identify(path)
        assert str(found.value).isprintable()


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"…$") as found:
        identify(_weights(tmp_path / "a.pth", "n" * 100_000, _tensor()))
    assert len(str(found.value)) <= LONGEST + 2


def test_a_branch_with_a_number_that_is_none() -> None:
    names = ["base.layer4_8.x", f"base.layer4_{'8' * 5000}.x", "base.layer4_08.x", "classifiers.٨.weight"]
    assert target_branch(names, 8) == {"base.layer4.x": "base.layer4_8.x"}
