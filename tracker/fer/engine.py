"""The engine: face crops in, calibrated emotion probabilities out, in batches, from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.framing import CropSpec
from tracker.fer.batching import SharedBatches
from tracker.fer.calibration import calibrate
from tracker.fer.device import resolve_device
from tracker.fer.folding import fold_batch_norm
from tracker.fer.preprocess import standardise, to_grey
from tracker.fer.zoo import Network

Logits = dict[str, NDArray[np.float32]]


class EngineError(ValueError):
    """Crops of another form than the network reads, or a network or device that fails."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a network read from N crops.

    Attributes
    ----------
    probabilities
        (N, 8) float64, calibrated, in the order of `EMOTIONS`; rows sum to 1.
    log_probabilities
        (N, 8) float64, their natural logarithms, exact also where a probability rounds to 0.
    """

    probabilities: NDArray[np.float64]
    log_probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.probabilities)

    def distribution(self, row: int) -> Distribution:
        """One face's reading as a distribution."""
        return Distribution.from_sequence(self.probabilities[row].tolist())


class Engine:
    """Runs one network.

    Safe to use from many threads: requests that arrive while the device is busy share the next batch.
    The same crop gives the same reading whatever its batch mates show; between batches of different
    length, probabilities may differ by float32 rounding (below 1e-5).

    Parameters
    ----------
    network
        From `tracker.fer.zoo.Zoo.load`.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    batch_size
        Crops per forward pass at most. Larger is faster on a GPU, until its memory ends: then the engine
        halves it and goes on.
    head
        Which head is read; it must know all eight emotions.

    Raises
    ------
    tracker.fer.device.DeviceError
        When the device is not there.
    EngineError
        When the head does not know all eight emotions.
    """

    def __init__(
        self, network: Network, device: str = "auto", batch_size: int = 64, head: str = "ferplus"
    ) -> None:
        if batch_size < 1:
            raise EngineError(f"a batch of {batch_size} is not possible; use 1 or more")
        self.network = network
        self.device = resolve_device(device)
        self._head = network.spec.head(head)
        if missing := {e.value for e in EMOTIONS} - set(self._head.classes):
            raise EngineError(f"head {head!r} of {network.id} does not know {', '.join(sorted(missing))}")
        self._columns = [self._head.classes.index(e.value) for e in EMOTIONS]
        self._batch_size = batch_size
        self._module = _prepared(network.module, self.device)
        self._shared: SharedBatches[NDArray[np.uint8], Logits] = SharedBatches(self._run, batch_size)

    @property
    def crop(self) -> CropSpec:
        """The framing of the crops that `read` takes."""
        return self.network.spec.crop

    @property
    def batch_size(self) -> int:
        """Crops per forward pass at most, after any halving for want of memory."""
        return self._batch_size

    def read(self, crops: NDArray[np.uint8]) -> Readings:
        """Read emotions.

        Parameters
        ----------
        crops
            (N, H, W, 3) uint8 RGB with H = W = the crop's size; N may be 0.

        Raises
        ------
        EngineError
            For another type or shape, or when the network gives no finite numbers.
        """
        z = self.logits(crops)[self._head.name][:, self._columns]
        if len(z) == 0:
            return Readings(np.zeros((0, len(EMOTIONS))), np.zeros((0, len(EMOTIONS))))
        logs = calibrate(z, self._head.temperature, self._head.smoothing)
        return Readings(np.exp(logs), logs)

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """Return uncalibrated logits (N, classes) float32 by head name, for evaluation and calibration."""
        self._check(crops)
        if len(crops) == 0:
            return {h.name: np.zeros((0, len(h.classes)), np.float32) for h in self.network.spec.heads}
        return self._shared.submit(crops, len(crops))

    def _check(self, crops: NDArray[np.uint8]) -> None:
        size = self.crop.size
        if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8:
            kind = crops.dtype if isinstance(crops, np.ndarray) else type(crops).__name__
            raise EngineError(f"crops must be a uint8 array of values 0 to 255, not {kind}")
        if crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise EngineError(
                f"crops must have the shape (N, {size}, {size}, 3), RGB, as {self.network.id} was trained; "
                f"these have {crops.shape}"
            )

    def _run(self, requests: Sequence[NDArray[np.uint8]]) -> list[Logits]:
        joined = torch.from_numpy(np.concatenate(requests))
        parts: list[dict[str, Tensor]] = []
        start = 0
        while start < len(joined):
            chunk = joined[start : start + self._batch_size]
            try:
                parts.append(self._forward(chunk))
            except RuntimeError as error:
                self._halve(error)
                continue
            start += len(chunk)
        whole = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
        if not all(np.isfinite(z).all() for z in whole.values()):
            raise EngineError(
                f"{self.network.id} gave numbers that are not finite on {self.device}; try --device cpu"
            )
        ends = np.cumsum([len(request) for request in requests])
        return [
            {name: z[end - len(request) : end] for name, z in whole.items()}
            for request, end in zip(requests, ends, strict=True)
        ]

    @torch.inference_mode()
    def _forward(self, chunk: Tensor) -> dict[str, Tensor]:
        grey = to_grey(chunk.to(self.device))
        x = standardise(grey).contiguous(memory_format=torch.channels_last)
        return {name: z.float().cpu() for name, z in self._module(x).items()}

    def _halve(self, error: RuntimeError) -> None:
        no_memory = isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
        if not no_memory:
            raise EngineError(f"{self.network.id} failed on {self.device}: {error}") from error
        if self._batch_size == 1:
            raise EngineError(
                f"{self.device} has too little memory for one face; try --device cpu"
            ) from error
        self._batch_size //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _prepared(module: nn.Module, device: torch.device) -> nn.Module:
    folded = fold_batch_norm(module.eval())
    return folded.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
