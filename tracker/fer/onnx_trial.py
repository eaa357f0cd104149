"""Try a stranger's ONNX file in a process of its own, where it may take only so much time and memory.

An ONNX graph is a program: it can loop for days, or unfold a few bytes into all the memory there is, and a
runtime that computes it inside this process could not be stopped. So before a file is opened here it is opened
and run once on noise in a child, under a limit of seconds and bytes. What a child cannot do under them is not
added; what it can do is opened here as well, where mistakes are told in detail.

The child (``python -m tracker.fer.onnx_trial``) loads onnxruntime and numpy alone.
"""

from __future__ import annotations

import subprocess
import sys

from tracker.fer.manifest import ZooError

SECONDS = 60
"""How long opening a file and reading four faces may take; networks that read faces need a few."""

BYTES = 6 << 30
"""Memory that a child may ask for, what the runtime asks for without using included."""

_FACES, _PIXELS, _PLANES = 4, 224, 3
_NO_MEMORY = 71  # exit code of the child: the limit was reached, as opposed to a fault of the file


def require_frugal(
    data: bytes, name: str, *, size: int | None = None, seconds: float = SECONDS, memory: int = BYTES
) -> None:
    """Refuse an ONNX file that cannot be opened and run once within the limits.

    Whether what it gives is right is not looked at: a file that fails for another reason passes, and
    `tracker.fer.onnx_network.open_onnx` says what is wrong with it.

    Parameters
    ----------
    data, name
        The file's bytes, and what errors call it.
    size
        Pixels of the faces that it will read, where its graph leaves that open.
    seconds, memory
        The limits. On systems that do not enforce limits of memory (macOS) only the time counts.

    Raises
    ------
    ZooError
        When it takes longer or needs more.
    """
    command = [sys.executable, "-m", "tracker.fer.onnx_trial", str(size or _PIXELS), str(memory)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise ZooError(
            f"{name} did not finish reading {_FACES} faces of noise within {seconds:g} seconds; it is not added"
        ) from error
    if done.returncode == _NO_MEMORY or done.returncode < 0:
        raise ZooError(
            f"{name} needs more than {memory / (1 << 30):.1f} GiB to read {_FACES} faces of noise, or brings the "
            "runtime down; it is not added"
        )


def _limit(memory: int) -> None:
    import resource  # noqa: PLC0415 - not on Windows, where there is no child to limit either

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    except (OSError, ValueError):
        return  # a system that knows no such limit, or has a tighter one


def _child(data: bytes, size: int, memory: int) -> int:
    """Open a file and run it once; 0 whether or not it can be read, unless memory was what it lacked."""
    import numpy as np  # noqa: PLC0415 - below the limit, and not where the parent runs
    import onnxruntime  # noqa: PLC0415

    _limit(memory)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        (only,) = session.get_inputs()
        free = (_FACES, _PLANES, size, size)
        shape = [
            there if isinstance(there, int) and there > 0 else free[i] for i, there in enumerate(only.shape)
        ]
        noise = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        session.run(None, {only.name: noise})
    except MemoryError:
        return _NO_MEMORY
    except Exception as error:  # onnxruntime has a dozen kinds, without a common one
        said = str(error).lower()
        return _NO_MEMORY if "allocat" in said or "bad_alloc" in said or "out of memory" in said else 0
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2])))
