"""What a device's errors mean: too little memory, or a device that is gone."""

from __future__ import annotations

import torch

# What torch's CPU allocator says, which has no class of its own for it.
_NO_MEMORY = ("can't allocate memory", "out of memory")

# CUDA's sticky errors: after one of them nothing works on the device any more, in this process.
_LOST = (
    "CUDA error",
    "CUDA driver error",
    "cudaError",
    "device-side assert",
    "no CUDA-capable device",
    "device lost",
)


class EngineError(ValueError):
    """Crops of another form than the network reads, or a network or device that fails."""


class EngineWarning(UserWarning):
    """The engine goes on, but otherwise than it was asked to."""


def no_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full.

    Examples
    --------
    >>> no_memory(torch.OutOfMemoryError("CUDA out of memory")), no_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in _NO_MEMORY)
    )


def device_lost(error: BaseException) -> bool:
    """Whether an error says that a device is gone, or of no use to this process any more.

    Examples
    --------
    >>> device_lost(RuntimeError("CUDA error: an illegal memory access was encountered"))
    True
    >>> device_lost(torch.OutOfMemoryError("CUDA error: out of memory"))
    False
    """
    if not isinstance(error, RuntimeError) or no_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or any(said in str(error) for said in _LOST)
