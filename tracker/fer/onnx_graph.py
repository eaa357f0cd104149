"""Look into an ONNX file before a runtime does: it must be whole, and must not name other files.

An ONNX file is a protocol buffer. A weight in it may say that its numbers lie in another file, by a path
that whoever made it chose; such a file is refused, since what is pinned by a hash must be all there is.
Only lengths and a few fields are read, so this needs no library and takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracker.fer.manifest import ZooError

LARGEST = 1 << 30
"""Bytes that a file may have; networks that read faces have a hundredth of it."""

_DEEPEST = 32  # graphs within graphs; real ones have two or three

# Which fields of a message hold messages, by the numbers of onnx.proto (IR version 10): kind -> field -> kind.
_WITHIN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_GRAPH, _NAME, _EXTERNAL_DATA, _DATA_LOCATION = 7, 8, 13, 14

_Value = int | memoryview


def require_whole(data: bytes, path: str = "the file") -> None:
    """Refuse what is no ONNX file, is too large, or keeps weights in other files.

    Raises
    ------
    ZooError
        Saying which of these.

    Examples
    --------
    >>> require_whole(b"PK\\x03\\x04", "a.onnx")
    Traceback (most recent call last):
    ...
    tracker.fer.manifest.ZooError: a.onnx is not an ONNX file, or not all of one
    """
    if len(data) > LARGEST:
        raise ZooError(f"{path} has {len(data)} bytes; ONNX files of up to {LARGEST} are read")
    try:
        fields = dict(_fields(memoryview(data)))
        if not isinstance(fields.get(_GRAPH), memoryview):
            raise ValueError("no graph")
        _look(memoryview(data), "model", path, 0)
    except (ValueError, IndexError) as error:
        if isinstance(error, ZooError):
            raise
        raise ZooError(f"{path} is not an ONNX file, or not all of one") from error


def _look(message: memoryview, kind: str, path: str, depth: int) -> None:
    if depth > _DEEPEST * 3:  # a graph within a graph is three messages down: node, attribute, graph
        raise ValueError("nested too deeply")
    for number, value in _fields(message):
        if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value == 1)):
            raise ZooError(
                f"{path} keeps the weight {_name(message)!r} in another file; "
                "save the network as one file (onnx.save with save_as_external_data=False)"
            )
        within = _WITHIN[kind].get(number)
        if within is not None:
            if not isinstance(value, memoryview):
                raise ValueError("a message was expected")
            _look(value, within, path, depth + 1)


def _name(tensor: memoryview) -> str:
    for number, value in _fields(tensor):
        if number == _NAME and isinstance(value, memoryview):
            return bytes(value[:80]).decode("utf-8", "replace")
    return ""


def _fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """Numbers and values of a message's fields; of those that are bytes, a view of them."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("no field of a protocol buffer")
        if at + length > len(message):
            raise ValueError("a field ends after its message")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number without an end")
