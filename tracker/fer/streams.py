"""A network on a CUDA device that never waits: while one batch is read, the next one comes and the last one goes back.

Each of a few slots has page-locked memory on the host, memory on the device and a stream of its own. Work is
recorded once for each of a few batch sizes as a CUDA graph and then replayed: one call in place of some hundred.
Graphs are recorded here and not by ``torch.compile(mode="reduce-overhead")``, whose graphs belong to the thread
that made them; here any thread may come.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tracker.fer.failures import EngineWarning, device_lost, no_memory
from tracker.fer.precision import reduced
from tracker.fer.running import Answering, Crops, Logits, exact
from tracker.fer.zoo import Network

_WARM_UP = 3
_SLOTS = 3


@dataclass(eq=False)
class _Slot:
    stream: torch.cuda.Stream
    host: Tensor
    there: Tensor
    back: dict[str, Tensor]
    done: torch.cuda.Event
    pool: Any
    graphs: dict[int, tuple[torch.cuda.CUDAGraph, dict[str, Tensor]]] = field(default_factory=dict)


class Streamed:
    """Batches on CUDA streams; see `tracker.fer.running.Runner`.

    Parameters
    ----------
    network, device, dtype
        As for `tracker.fer.running.Plain`.
    limit
        Crops of a batch at most. Memory for such a batch is taken at once, so a device that is too small says so here.
    compiled
        Whether batches of `limit` crops, and of more than half as many, run compiled.
    """

    def __init__(
        self,
        network: Network,
        device: torch.device,
        dtype: torch.dtype,
        limit: int,
        *,
        compiled: bool = False,
    ) -> None:
        self._device, self._dtype, self._limit = torch.device("cuda", device.index or 0), dtype, limit
        self._answering = Answering(reduced(network.module, dtype, self._device), network.spec).eval()
        self._compiled = torch.compile(self._answering, dynamic=False) if compiled else None
        self._records = True
        size, heads = network.spec.crop.size, {head.name: len(head.classes) for head in network.spec.heads}
        self._slots = [self._slot(size, heads) for _ in range(_SLOTS)]
        self._free = deque(self._slots)
        self.depth = _SLOTS
        torch.cuda.synchronize(self._device)  # the weights came by another stream
        for slot in self._slots:
            with torch.inference_mode(), torch.cuda.stream(slot.stream):
                self._work(slot, limit)
        torch.cuda.synchronize(self._device)

    def start(self, requests: Sequence[Crops]) -> tuple[_Slot, int]:
        """Send the crops and begin to read them; see `tracker.fer.running.Runner`."""
        slot = self._free.popleft()
        try:
            n = 0
            for request in requests:
                _fill(slot.host[n : n + len(request)], request)
                n += len(request)
            bucket = bucket_of(n, self._limit)
            with torch.inference_mode(), torch.cuda.stream(slot.stream):
                slot.there[:n].copy_(slot.host[:n], non_blocking=True)
                for name, z in self._work(slot, bucket).items():
                    slot.back[name][:n].copy_(z[:n], non_blocking=True)
                slot.done.record(slot.stream)
        except BaseException:
            self._free.append(slot)
            raise
        return slot, n

    def finish(self, ticket: tuple[_Slot, int]) -> Logits:
        """Wait for a batch; see `tracker.fer.running.Runner`."""
        slot, n = ticket
        try:
            slot.done.synchronize()
            return {name: z[:n].numpy().copy() for name, z in slot.back.items()}
        finally:
            self._free.append(slot)

    def resident(self, n: int) -> None:
        """Read the `n` crops that lie in the first slot's memory on the device already, for measurements."""
        slot = self._slots[0]
        with torch.inference_mode(), torch.cuda.stream(slot.stream):
            self._work(slot, bucket_of(n, self._limit))

    def shrink(self, limit: int) -> None:
        """Let go of what only larger batches need."""
        torch.cuda.synchronize(self._device)
        self._limit = limit
        for slot in self._slots:
            slot.graphs = {bucket: made for bucket, made in slot.graphs.items() if bucket <= limit}
        torch.cuda.empty_cache()

    def close(self) -> None:
        """Let go of everything, also on a device that is lost."""
        try:
            torch.cuda.synchronize(self._device)
            for slot in self._slots:
                slot.graphs.clear()
            torch.cuda.empty_cache()
        except RuntimeError as error:
            if not device_lost(error):
                raise

    def _slot(self, size: int, heads: dict[str, int]) -> _Slot:
        shape = (self._limit, size, size, 3)
        # Ordinary tensors also for a caller in inference mode, whose own could not be written to outside of it.
        with torch.cuda.device(self._device), torch.inference_mode(False):
            return _Slot(
                torch.cuda.Stream(self._device),  # type: ignore[no-untyped-call]
                torch.zeros(shape, dtype=torch.uint8).pin_memory(),
                torch.zeros(shape, dtype=torch.uint8, device=self._device),
                {name: torch.zeros(self._limit, n).pin_memory() for name, n in heads.items()},
                torch.cuda.Event(),  # type: ignore[no-untyped-call]
                None,
            )

    def _work(self, slot: _Slot, bucket: int) -> dict[str, Tensor]:
        """Queue the reading of a slot's first `bucket` crops, recorded where that works."""
        if not self._records:
            return self._read(slot.there[:bucket])
        if bucket not in slot.graphs:
            try:
                slot.graphs[bucket] = self._record(slot, bucket)
            except RuntimeError as error:
                if no_memory(error) or (device_lost(error) and "captur" not in str(error)):
                    raise
                self._records = False
                warnings.warn(f"no CUDA graph can be made of this network: {_line(error)}", EngineWarning, 2)
                return self._read(slot.there[:bucket])
        graph, found = slot.graphs[bucket]
        graph.replay()
        return found

    @torch.inference_mode()
    def _record(self, slot: _Slot, bucket: int) -> tuple[torch.cuda.CUDAGraph, dict[str, Tensor]]:
        crops = slot.there[:bucket]
        if not slot.graphs:
            slot.pool = torch.cuda.graph_pool_handle()  # a pool whose last graph is gone takes no other
        cudnn = torch.backends.cudnn
        before, cudnn.benchmark = cudnn.benchmark, True  # the fastest convolution for just this size
        try:
            with torch.cuda.stream(slot.stream):
                for _ in range(_WARM_UP):
                    self._read(crops)
                slot.stream.synchronize()
                graph = torch.cuda.CUDAGraph()
                # Other threads may use the device meanwhile; what they do is not recorded, and no error.
                with torch.cuda.graph(graph, slot.pool, slot.stream, capture_error_mode="thread_local"):
                    found = self._read(crops)
        finally:
            cudnn.benchmark = before
        return graph, found

    def _read(self, crops: Tensor) -> dict[str, Tensor]:
        with exact(self._device, self._dtype):  # whether it is recorded or not
            return self._answers(crops)

    def _answers(self, crops: Tensor) -> dict[str, Tensor]:
        if self._compiled is not None and len(crops) == self._limit:
            try:
                return self._compiled(crops)  # type: ignore[no-any-return]
            except Exception as error:
                if no_memory(error) or device_lost(error):
                    raise
                # No compiler on this machine, or a network that it does not understand.
                warnings.warn(f"the network runs without torch.compile: {_line(error)}", EngineWarning, 2)
                self._compiled = None
        return self._answering(crops)  # type: ignore[no-any-return]


def bucket_of(n: int, limit: int) -> int:
    """The batch size that `n` crops are read in: the next power of two, and at most `limit`.

    Examples
    --------
    >>> [bucket_of(n, 48) for n in (1, 2, 3, 30, 33, 48)]
    [1, 2, 4, 32, 48, 48]
    """
    return min(limit, 1 << (n - 1).bit_length())


def _fill(host: Tensor, crops: Crops) -> None:
    if crops.flags.c_contiguous and crops.flags.writeable:
        host.copy_(torch.from_numpy(crops))  # with all processors
    else:
        host.numpy()[...] = crops


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:300]
