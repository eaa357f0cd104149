"""Nothing that a file names is ever called: neither by known tricks nor by any row of opcodes."""

from __future__ import annotations

import builtins
import codecs
import gc
import importlib
import io
import os
import pickle
import pickletools
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fer.checkpoints.saving import save
from tracker.fer import checkpoints_pickle
from tracker.fer.checkpoints import CheckpointError, convert, read_weights
from tracker.fer.checkpoints_pickle import Made, Name, read_pickle


class _Trick:
    """Pickles as a call of anything with anything."""

    def __init__(self, what: Any, *arguments: Any) -> None:
        self._call = what, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self._call


def _tricks(proof: Path) -> dict[str, Any]:
    touch = f"touch {proof}"
    python = f"open({str(proof)!r}, 'w').close()"
    return {
        "os.system": _Trick(os.system, touch),
        "eval": _Trick(eval, python),
        "exec": _Trick(exec, python),
        "Popen": _Trick(subprocess.Popen, ["touch", str(proof)]),
        "import": _Trick(importlib.import_module, "antigravity"),
        "__import__": _Trick(builtins.__import__, "this"),
        "open": _Trick(open, str(proof), "w"),
        "torch.hub": _Trick(torch.hub.load_state_dict_from_url, f"file://{proof}"),
        "torch.load": _Trick(torch.load, str(proof)),
        "pickle in a pickle": _Trick(pickle.loads, pickle.dumps(_Trick(os.system, touch))),
        "map": _Trick(map, os.system, [touch]),
        "a call as an argument": _Trick(dict, [("x", _Trick(os.system, touch))]),
    }


NAMES = tuple(_tricks(Path("proof")))


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "legacy"])
@pytest.mark.parametrize("name", NAMES)
def test_no_trick_does_anything(tmp_path: Path, name: str, legacy: bool) -> None:
    proof = tmp_path / "proof"
    weights = {"module.fc.weight": torch.ones(1), "module.x": _tricks(proof)[name]}
    path = save(tmp_path / "malice.pth", {"state_dict": weights, "recorder": _tricks(proof)[name]}, legacy)
    assert list(read_weights(path)) == ["fc.weight"]
    with pytest.raises(CheckpointError, match="holds something unknown here"):
        convert(path, "poster_v2", 7)
    assert not proof.exists()
    assert not {"antigravity", "this"} & set(sys.modules)


def test_the_tricks_would_work_elsewhere(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    path = save(tmp_path / "malice.pth", _tricks(proof)["os.system"])
    torch.load(path, weights_only=False)
    assert proof.exists()


def test_a_whole_file_that_is_a_trick_is_no_weights(tmp_path: Path) -> None:
    path = save(tmp_path / "malice.pth", _tricks(tmp_path / "proof")["eval"])
    with pytest.raises(CheckpointError, match=r"holds a whole object \(__builtin__\.eval\), not weights"):
        read_weights(path)
    assert not (tmp_path / "proof").exists()


_FILES = (checkpoints_pickle.__file__, pickletools.__file__)
_BUILT_IN = {
    # methods and functions that read bytes or keep what was read
    "read", "readline", "tell", "append", "extend", "pop", "reverse", "partition", "get", "items", "unpack",
    "from_bytes", "decode", "encode", "strip", "startswith", "endswith", "find", "hasattr", "getattr",
    "isinstance", "len", "ord", "zip", "escape_decode", "unicode_escape_decode", "raw_unicode_escape_decode",
    "lookup", "latin_1_decode", "ascii_decode", "utf_8_decode", "__setattr__", "setprofile", "join", "format",
    "__new__", "any", "all", "lstrip", "rstrip", "index", "keys", "values", "isascii", "__init_subclass__",
}  # fmt: skip


def _calls(do: Callable[[], object]) -> tuple[set[str], set[CodeType]]:
    """Names of C functions and code of Python functions that were called meanwhile."""
    native: set[str] = set()
    python: set[CodeType] = set()

    def watch(frame: FrameType, event: str, what: Any) -> None:
        if event == "c_call":
            native.add(what.__name__)
        elif event == "call":
            python.add(frame.f_code)

    gc.disable()  # whoever listens to the collector is not called by the file
    sys.setprofile(watch)
    try:
        do()
    except CheckpointError:
        pass
    finally:
        sys.setprofile(None)
        gc.enable()
    python.discard(do.__code__)
    return native, python


for _codec in ("raw-unicode-escape", "unicode-escape", "latin-1", "ascii", "utf-8"):
    codecs.lookup(_codec)  # else the first text imports its codec, which is a call of the interpreter's own

_TARGETS = ["os system", "builtins eval", "builtins exec", "posix system", "torch.hub load", "subprocess Popen",
            "builtins getattr", "functools partial", "operator attrgetter", "collections OrderedDict",
            "torch._utils _rebuild_tensor_v2", "sys modules", "builtins __import__"]  # fmt: skip


def _encoded(opcode: pickletools.OpcodeInfo, draw: st.DrawFn) -> bytes:
    code = opcode.code.encode("latin-1")
    kind = None if opcode.arg is None else opcode.arg.name
    text = draw(st.sampled_from([*_TARGETS, "x", "touch proof", "0"]))
    raw = text.encode()
    small = draw(st.integers(0, 3))
    match kind:
        case None:
            return code
        case "uint1":
            return code + bytes([small])
        case "uint2":
            return code + struct.pack("<H", small)
        case "int4" | "uint4":
            return code + struct.pack("<i", small)
        case "uint8":
            return code + struct.pack("<Q", small)
        case "float8":
            return code + struct.pack(">d", small)
        case "decimalnl_short" | "decimalnl_long" | "floatnl":
            return code + f"{small}\n".encode()
        case "stringnl":
            return code + repr(text).encode() + b"\n"
        case "stringnl_noescape" | "unicodestringnl":
            return code + raw + b"\n"
        case "stringnl_noescape_pair":
            return code + raw.replace(b" ", b"\n") + (b"\n" if b" " in raw else b"\nx\n")
        case "string1" | "bytes1" | "unicodestring1":
            return code + bytes([len(raw)]) + raw
        case "string4" | "bytes4" | "unicodestring4":
            return code + struct.pack("<I", len(raw)) + raw
        case "bytes8" | "unicodestring8" | "bytearray8":
            return code + struct.pack("<Q", len(raw)) + raw
        case "long1":
            return code + b"\x01" + bytes([small])
        case "long4":
            return code + struct.pack("<i", 1) + bytes([small])
    raise AssertionError(f"opcode argument {kind} is new; say here how it is written")


# What calls, imports or writes to something in the real machine.
_CALLS = [
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE"),
    ("GLOBAL", "SHORT_BINUNICODE", "TUPLE1", "REDUCE"),
    ("SHORT_BINUNICODE", "SHORT_BINUNICODE", "STACK_GLOBAL", "SHORT_BINUNICODE", "TUPLE1", "REDUCE"),
    ("GLOBAL", "GLOBAL", "SHORT_BINUNICODE", "TUPLE2", "REDUCE"),
    ("MARK", "GLOBAL", "SHORT_BINUNICODE", "OBJ"),
    ("MARK", "SHORT_BINUNICODE", "INST"),
    ("GLOBAL", "EMPTY_TUPLE", "NEWOBJ"),
    ("GLOBAL", "EMPTY_TUPLE", "EMPTY_DICT", "NEWOBJ_EX"),
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE", "GLOBAL", "BUILD"),
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE", "EMPTY_DICT", "SHORT_BINUNICODE", "GLOBAL", "SETITEM", "BUILD"),
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE", "SHORT_BINUNICODE", "GLOBAL", "SETITEM"),
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE", "GLOBAL", "APPEND"),
    ("GLOBAL", "EMPTY_TUPLE", "REDUCE", "EMPTY_TUPLE", "REDUCE"),
    ("GLOBAL", "BINPERSID"),
    ("EXT1", "EMPTY_TUPLE", "REDUCE"),
]


@st.composite
def programs(draw: st.DrawFn) -> bytes:
    """Rows of opcodes: calls of every kind, on what lies there, with any other opcodes between."""
    by_name = {opcode.name: opcode for opcode in pickletools.opcodes}
    single = st.sampled_from([name for name in by_name if name != "STOP"]).map(lambda name: (name,))
    rows = draw(st.lists(st.sampled_from(_CALLS) | single, min_size=1, max_size=8))
    start = draw(st.sampled_from(["", "MARK", "EMPTY_LIST EMPTY_DICT EMPTY_TUPLE"])).split()
    names = [*start, *(name for row in rows for name in row)]
    return b"".join(_encoded(by_name[name], draw) for name in names) + b"."


@given(programs())
@settings(max_examples=600, deadline=None)
def test_whatever_the_opcodes_nothing_outside_the_reader_is_called(program: bytes) -> None:
    modules = set(sys.modules)
    native, python = _calls(lambda: read_pickle(io.BytesIO(program)))
    assert native <= _BUILT_IN
    strangers = [
        code for code in python if code.co_filename not in _FILES and "<frozen" not in code.co_filename
    ]
    assert [code for code in strangers if not _harmless(code)] == []
    assert set(sys.modules) == modules


def _harmless(code: CodeType) -> bool:
    """Written by `dataclass`, the text codecs of the standard library, or its long integers."""
    if code is pickle.decode_long.__code__:
        return True
    return code.co_filename == "<string>" or "encodings" in code.co_filename or code.co_filename == __file__


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_data_or_an_error(program: bytes) -> None:
    native, _ = _calls(lambda: read_pickle(io.BytesIO(program)))
    assert native <= _BUILT_IN


def test_what_would_be_made_says_of_what() -> None:
    made = read_pickle(io.BytesIO(pickle.dumps(_Trick(os.system, "true"))))
    assert isinstance(made, Made)
    assert made.what == Name("posix", "system")
    assert made.arguments == ("true",)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner)
        ),
    ),
    st.integers(0, 5),
)
@settings(deadline=None)
def test_plain_data_come_back_equal(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assume(
        not any(opcode.name == "GLOBAL" for opcode, _, _ in pickletools.genops(data))
    )  # old bytes are calls
    assert read_pickle(io.BytesIO(data)) == value


def test_deep_nesting_is_read_without_recursion() -> None:
    deep = b")" + b"\x85" * 200_000  # an empty tuple in a tuple in a tuple ...
    found = read_pickle(io.BytesIO(b"}" + deep + b"K\x01s."))  # ... as a key, which nobody hashes
    assert list(found.values()) == [1]
