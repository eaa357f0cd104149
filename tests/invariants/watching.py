"""Run a command and learn every byte that it handed to a file, and every file that it could have written.

Where ``strace`` is there and may trace, the system calls of the command and of all its children are looked at: what
is opened for writing, made, renamed or linked, and each buffer that is written, so that a temporary file that was
deleted again, or a log that was truncated, is seen too. Elsewhere an audit hook in every Python process lists what
is opened, deleting is put off until the end, and the folders are scanned.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TRACED = (
    "openat,open,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,"
    "write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,splice,memfd_create"
)
_LONGEST = 1 << 22
_PLACES = ("/dev/", "/proc/", "/sys/", "pipe:", "socket:", "anon_inode:")
_HEX = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_CALL = re.compile(rb"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)")
_FD = re.compile(rb"<((?:\\x[0-9a-f]{2})*)>")
_HERE = re.compile(rb"^(\d+) .*?AT_FDCWD<((?:\\x[0-9a-f]{2})*)>")


@dataclass
class Watched:
    """What a command did.

    Attributes
    ----------
    code, out, err
        How it ended and what it said.
    files
        Every file it could have written, whether it is still there or not.
    written
        The bytes that were handed to each file, in order, where they could be watched.
    how
        ``strace``, or ``audit hook``.
    """

    code: int
    out: str
    err: str
    how: str
    files: set[Path] = field(default_factory=set)
    written: dict[str, bytes] = field(default_factory=dict)


@cache
def may_strace() -> bool:
    """Whether strace is there and is allowed to trace."""
    if shutil.which("strace") is None or os.environ.get("AFFECT_PROOF_STRACE") == "0":
        return False
    tried = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False
    )
    return tried.returncode == 0


def watch(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, timeout_s: float = 300.0
) -> Watched:
    """Run a command to its end and watch it.

    Parameters
    ----------
    command
        What to run.
    folder
        Where it runs, and where everything lies that is scanned where system calls cannot be watched.
    environment
        Its whole environment but for what watching needs.
    """
    log = folder.parent / f"{folder.name}-watched"
    log.mkdir(exist_ok=True)
    trace = log / f"trace{len(list(log.iterdir()))}"
    if may_strace():
        line = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", f"-s{_LONGEST}", f"-etrace={TRACED}",
                f"-o{trace}", *command]  # fmt: skip
        done = _run(line, folder, environment, timeout_s)
        watched = Watched(done.returncode, done.stdout, done.stderr, "strace")
        read_trace(trace, watched, folder)
    else:
        before = {path: _stamp(path) for path in _below(folder)}
        hooked = {**environment, "AFFECT_PROOF_TRACE": str(trace)}
        hooked["PYTHONPATH"] = os.pathsep.join(
            [str(Path(__file__).parent / "hook"), *filter(None, [environment.get("PYTHONPATH")])]
        )
        done = _run(list(command), folder, hooked, timeout_s)
        watched = Watched(done.returncode, done.stdout, done.stderr, "audit hook")
        if trace.exists():
            watched.files |= {Path(line) for line in trace.read_text().splitlines() if line}
        watched.files |= {path for path in _below(folder) if before.get(path) != _stamp(path)}
        watched.written = {str(p): p.read_bytes() for p in watched.files if p.is_file()}
    trace.unlink(missing_ok=True)
    return watched


def read_trace(trace: Path, into: Watched, start: Path = Path("/")) -> None:
    """Read what strace wrote (``-f -y -xx``) of a command that was started in a folder."""
    parts: dict[str, list[bytes]] = {}
    # Where each process is: every opening by a relative name tells it.
    here: dict[bytes, Path] = {}
    with trace.open("rb") as lines:
        for line in lines:
            if told := _HERE.match(line):
                here[told[1]] = Path(_text(told[2]))
            base = here.get(line.partition(b" ")[0], start)
            found = _CALL.match(line)
            if found is None:
                continue
            call = found[1].decode()
            if call in (
                "write",
                "pwrite64",
                "writev",
                "pwritev",
                "pwritev2",
                "sendfile",
                "copy_file_range",
                "splice",
            ):
                fd = _FD.search(line)
                name = _text(fd[1]) if fd is not None else "?"
                if name.startswith(_PLACES):
                    continue
                assert not any(cut for _, cut in _HEX.findall(line)), f"a buffer of {name} was cut"
                parts.setdefault(name, []).extend(_bytes(text) for text, _ in _HEX.findall(line))
                if name.startswith("/"):
                    into.files.add(Path(name.removesuffix("(deleted)")))
            elif call.startswith("open"):
                if b"O_WRONLY" in line or b"O_RDWR" in line or b"O_CREAT" in line:
                    _add(line, into, base)
            else:
                _add(line, into, base)
    for name, pieces in parts.items():
        into.written[name] = into.written.get(name, b"") + b"".join(pieces)


def _add(line: bytes, into: Watched, base: Path) -> None:
    """Note the paths of a call that makes, renames or opens something for writing."""
    if b" = -1 " in line:
        return
    folder = _FD.search(line.partition(b" = ")[0])
    base = Path(_text(folder[1])) if folder is not None else base
    for text, _ in _HEX.findall(line):
        name = _text(text)
        path = base / name
        if name and not str(path).startswith(_PLACES):
            into.files.add(path)


def _bytes(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode())


def _text(text: bytes) -> str:
    return _bytes(text).decode(errors="replace")


def _run(
    line: list[str], folder: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def _below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def python(*arguments: str) -> list[str]:
    """A command line of this Python."""
    return [sys.executable, *arguments]
