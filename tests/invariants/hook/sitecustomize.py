"""Loaded by every Python process that is watched without strace: lists what is written to, keeps what is deleted.

It must not import anything of ours: it runs before everything else, in processes that only happen to be children.
"""

import os
import sys

_trace = os.environ.get("AFFECT_PROOF_TRACE")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

if _trace:
    _list = os.open(_trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _note(path: object) -> None:
        if isinstance(path, bytes | str | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - pathlib may not be loaded yet
            if not name.startswith(("/dev/", "/proc/", "/sys/")):
                os.write(_list, name.encode(errors="replace") + b"\n")

    def _hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                _note(path)
        elif event in ("os.rename", "os.link", "os.symlink"):
            _note(arguments[1])
        elif event == "sqlite3.connect":
            for end in ("", "-wal", "-shm", "-journal"):
                _note(f"{os.fsdecode(arguments[0])}{end}")  # type: ignore[arg-type]

    sys.addaudithook(_hook)
    os.unlink = os.remove = lambda path, **_: _note(path)  # what is deleted stays to be looked at
