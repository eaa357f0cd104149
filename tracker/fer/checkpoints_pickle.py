"""Pickles read as data: what a pickle would call is written down, never called.

A pickle is a program for a small stack machine (``pickletools`` documents it). This is that machine without
its two dangers: names are not imported, and nothing is applied to anything. What the program wanted to make
becomes a `Made`, which says so and does nothing. So no list of forbidden names is needed, and none can lack one.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracker.fer.manifest import ZooError


class CheckpointError(ZooError):
    """A file is no checkpoint that can be read, or not the one that it was said to be."""


class Stream(Protocol):
    """What a pickle is read from; after it, the position is that of the first byte behind it."""

    def read(self, n: int = ..., /) -> bytes:
        """Read up to n bytes."""

    def readline(self) -> bytes:
        """Read up to the next line's end."""

    def tell(self) -> int:
        """Say how many bytes were read."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function that the pickle names."""

    module: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What the pickle says lies outside of it: for torch, the numbers of a tensor."""

    id: Any


@dataclass(slots=True, eq=False)
class Made:
    """Something that the pickle would have made: of what, from what, and what was then put into it."""

    what: Any
    arguments: Any
    state: Any = None
    entries: list[Any] = field(default_factory=list)


class _Mark:
    pass


_MARK = _Mark()
_ORDERED = Name("collections", "OrderedDict")
_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS = (
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "UNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
)
_BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
_CONSTANTS = frozenset((*_NUMBERS, *_TEXTS, *_BYTES))
_FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_IGNORED = frozenset(("PROTO", "FRAME"))
# What damaged programs run into; anything else would be a mistake of ours and shall be seen.
_DAMAGE = (ValueError, IndexError, KeyError, OverflowError, TypeError, EOFError)


def read_pickle(stream: Stream) -> Any:
    """Return what a pickle holds, as dicts, lists, tuples, numbers and texts, `Name`, `Made` and `Kept`.

    Parameters
    ----------
    stream
        Read up to the pickle's last byte and no further.

    Raises
    ------
    CheckpointError
        When it ends too early or its program makes no sense.

    Examples
    --------
    >>> import io, pickle
    >>> read_pickle(io.BytesIO(pickle.dumps({"epoch": 3, "of": print})))
    {'epoch': 3, 'of': Name(module='builtins', name='print')}
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):  # type: ignore[arg-type]
            if opcode.name == "STOP":
                return machine.pop()
            machine.step(opcode.name, argument)
    except _DAMAGE as error:
        raise CheckpointError(f"the pickle is damaged: {error}") from error
    raise CheckpointError("the pickle is damaged: it has no end")


class _Machine:
    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self._stack.append(argument)
        elif name in _FIXED:
            self._stack.append(_FIXED[name])
        elif name not in _IGNORED:
            step = _STEPS.get(name)
            if step is None:
                raise ValueError(f"{name} has no place in a checkpoint")
            step(self, argument)

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark stands where a value belongs")
        return value

    def _top(self) -> Any:
        value = self.pop()
        self._stack.append(value)
        return value

    def _since_mark(self) -> list[Any]:
        values = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        values.reverse()
        return values

    def mark(self, _: Any) -> None:
        self._stack.append(_MARK)

    def drop(self, _: Any) -> None:
        self._stack.pop()

    def drop_mark(self, _: Any) -> None:
        self._since_mark()

    def double(self, _: Any) -> None:
        self._stack.append(self._top())

    def empty_list(self, _: Any) -> None:
        self._stack.append([])

    def empty_dict(self, _: Any) -> None:
        self._stack.append({})

    def empty_set(self, _: Any) -> None:
        self._stack.append(Made(Name("builtins", "set"), ()))

    def make_list(self, _: Any) -> None:
        self._stack.append(self._since_mark())

    def make_dict(self, _: Any) -> None:
        self._stack.append(_filled({}, self._since_mark()))

    def make_tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._since_mark()))

    def make_frozenset(self, _: Any) -> None:
        self._stack.append(Made(Name("builtins", "frozenset"), tuple(self._since_mark())))

    def tuple_of(self, n: int) -> None:
        values = [self.pop() for _ in range(n)]
        self._stack.append(tuple(reversed(values)))

    def append(self, _: Any) -> None:
        value = self.pop()
        self._extend([value])

    def extend(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _extend(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, Made):
            target.entries.extend(values)
        else:
            raise ValueError(f"{type(target).__name__} takes no entries")

    def set_item(self, _: Any) -> None:
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def set_items(self, _: Any) -> None:
        self._set(self._since_mark())

    def _set(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, dict):
            _filled(target, values)
        elif isinstance(target, Made):
            target.entries.extend(zip(values[::2], values[1::2], strict=True))
        else:
            raise ValueError(f"{type(target).__name__} takes no items")

    def put(self, index: int) -> None:
        self._memo[index] = self._top()

    def memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(Name(module, name))

    def stack_name(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a name is no text")
        self._stack.append(Name(module, name))

    def registered_name(self, code: int) -> None:
        self._stack.append(Name("copyreg", str(code)))

    def kept(self, argument: str) -> None:
        self._stack.append(Kept(argument))

    def stack_kept(self, _: Any) -> None:
        self._stack.append(Kept(self.pop()))

    def reduce(self, _: Any) -> None:
        arguments, what = self.pop(), self.pop()
        self._stack.append(_made(what, arguments))

    def new_with_names(self, _: Any) -> None:
        named, arguments, what = self.pop(), self.pop(), self.pop()
        self._stack.append(Made(what, arguments, entries=[named]))

    def instance(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(_made(Name(module, name), tuple(self._since_mark())))

    def object(self, _: Any) -> None:
        what, *arguments = self._since_mark()
        self._stack.append(_made(what, tuple(arguments)))

    def build(self, _: Any) -> None:
        state, target = self.pop(), self._top()
        if isinstance(target, Made):
            target.state = state
        elif not isinstance(target, dict):  # an ordered dict may carry attributes, which mean nothing here
            raise ValueError(f"{type(target).__name__} takes no state")


_Step = Callable[[_Machine, Any], None]

_STEPS: dict[str, _Step] = {
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_mark,
    "DUP": _Machine.double,
    "EMPTY_LIST": _Machine.empty_list,
    "EMPTY_DICT": _Machine.empty_dict,
    "EMPTY_SET": _Machine.empty_set,
    "LIST": _Machine.make_list,
    "DICT": _Machine.make_dict,
    "TUPLE": _Machine.make_tuple,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "FROZENSET": _Machine.make_frozenset,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "ADDITEMS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stack_name,
    "EXT1": _Machine.registered_name,
    "EXT2": _Machine.registered_name,
    "EXT4": _Machine.registered_name,
    "PERSID": _Machine.kept,
    "BINPERSID": _Machine.stack_kept,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.reduce,
    "NEWOBJ_EX": _Machine.new_with_names,
    "INST": _Machine.instance,
    "OBJ": _Machine.object,
    "BUILD": _Machine.build,
}


def _made(what: Any, arguments: Any) -> Any:
    """Ordered dicts become dicts, because weights lie in them; everything else stays inert."""
    if isinstance(what, Name) and what == _ORDERED:
        if arguments == ():
            return {}
        pairs = arguments[0] if isinstance(arguments, tuple) and len(arguments) == 1 else None
        if isinstance(pairs, list) and all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs):
            return _filled({}, [value for pair in pairs for value in pair])
    return Made(what, arguments)


def _filled(target: dict[Any, Any], values: Iterable[Any]) -> dict[Any, Any]:
    flat = list(values)
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        # Hashing what a file nested deeply enough would end the process; weights have plain keys.
        plain = key is None or isinstance(key, (str, bytes, int, float, Name))
        target[key if plain else Made(key, ())] = value
    return target
