"""A network on a device: crops in, logits out. What the engine batches for, and recovers with another one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.fer.failures import EngineWarning, device_lost, no_memory
from tracker.fer.manifest import NetworkSpec
from tracker.fer.networks import by_head
from tracker.fer.precision import is_foreign, reduced
from tracker.fer.preprocess import prepare
from tracker.fer.zoo import Network

Crops = NDArray[np.uint8]
Logits = dict[str, NDArray[np.float32]]


class Answering(nn.Module):
    """From crops as they come, (N, H, W, 3) uint8, to float32 logits (N, classes) by head.

    Parameters
    ----------
    module
        The network, in whatever precision, taking float32.
    spec
        What the crops are scaled to, and the names of the heads.
    """

    def __init__(self, module: nn.Module, spec: NetworkSpec) -> None:
        super().__init__()
        self.module = module
        self.normalisation = spec.normalisation
        self.names = tuple(head.name for head in spec.heads)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Read crops that lie on the network's device."""
        x = prepare(crops, self.normalisation).contiguous(memory_format=torch.channels_last)
        return {name: z.float() for name, z in by_head(self.module(x), self.names).items()}


class Runner(Protocol):
    """A network on a device. Its methods are called by one thread at a time; errors of torch come through.

    Attributes
    ----------
    depth
        Batches that it takes before the first one has to be finished.
    """

    depth: int

    def start(self, requests: Sequence[Crops]) -> Any:
        """Begin to read the crops of all requests as one batch; returns what `finish` needs."""

    def finish(self, ticket: Any) -> Logits:
        """Wait for a batch that was begun."""

    def shrink(self, limit: int) -> None:
        """Let go of what only batches of more than `limit` crops need."""

    def close(self) -> None:
        """Let go of everything."""


class Plain:
    """One batch at a time, in the thread that asks.

    Parameters
    ----------
    network
        What to run; it stays as it is.
    device, dtype
        Where, and in which precision (`tracker.fer.precision.reduced`).
    """

    depth = 1

    def __init__(self, network: Network, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._answering = Answering(reduced(network.module, dtype, device), network.spec).eval()

    @torch.inference_mode()
    def start(self, requests: Sequence[Crops]) -> Logits:
        """Read the crops; see `Runner`."""
        joined = torch.from_numpy(np.concatenate(requests))
        with exact(self._device, self._dtype):
            found = self._answering(joined.to(self._device))
            return {name: z.cpu().numpy() for name, z in found.items()}

    def finish(self, ticket: Logits) -> Logits:
        """Give what `start` read."""
        return ticket

    def shrink(self, limit: int) -> None:
        """Let go of memory that torch keeps for later."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def exact(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Let float32 be float32 on a GPU: without, its convolutions keep 10 of 23 binary digits (TF32)."""
    if device.type != "cuda" or dtype is not torch.float32:
        yield
        return
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before


def runner_for(
    network: Network, device: torch.device, dtype: torch.dtype, limit: int, *, compiled: bool = False
) -> Runner:
    """Put a network on a device in the way that suits it.

    Parameters
    ----------
    network, device, dtype
        As for `Plain`.
    limit
        Crops of a batch at most.
    compiled
        Whether batches of `limit` run compiled (CUDA only): half a minute once, then faster.
    """
    if device.type == "cuda" and not is_foreign(network.module):
        from tracker.fer.streams import Streamed  # noqa: PLC0415 - needs what is above

        try:
            return Streamed(network, device, dtype, limit, compiled=compiled)
        except Exception as error:
            if no_memory(error) or device_lost(error):
                raise
            said = f"{type(error).__name__}: {error}"[:300]
            warnings.warn(f"one batch at a time on {device}: {said}", EngineWarning, stacklevel=2)
    return Plain(network, device, dtype)
