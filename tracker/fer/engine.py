"""The engine: face crops in, calibrated emotion probabilities out, in batches, from any thread."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.framing import CropSpec
from tracker.fer.batching import SharedBatches
from tracker.fer.calibration import calibrate
from tracker.fer.device import resolve_device
from tracker.fer.failures import EngineError, EngineWarning, device_lost, no_memory
from tracker.fer.known import unread, usual_head
from tracker.fer.precision import candidates, is_foreign
from tracker.fer.proving import NEAR, Proof
from tracker.fer.running import Crops, Logits, Runner, runner_for
from tracker.fer.zoo import Network

__all__ = ["Engine", "EngineError", "EngineWarning", "Logits", "Readings"]


@dataclass(frozen=True, slots=True)
class Readings:
    """What a network read from N crops.

    Attributes
    ----------
    probabilities
        (N, 8) float64, calibrated, in the order of `EMOTIONS`; rows sum to 1.
    log_probabilities
        (N, 8) float64, their natural logarithms, exact also where a probability rounds to 0.
    unread
        Emotions that the network does not know. Their probability is 0 because nobody looked, not because
        they are absent; whoever shows a reading has to say so.
    """

    probabilities: NDArray[np.float64]
    log_probabilities: NDArray[np.float64]
    unread: tuple[Emotion, ...] = ()

    def __len__(self) -> int:
        return len(self.probabilities)

    def distribution(self, row: int) -> Distribution:
        """One face's reading as a distribution."""
        return Distribution.from_sequence(self.probabilities[row].tolist())


@dataclass(eq=False)
class _Flight:
    """A batch on its way: who reads it, and what came of its start."""

    requests: Sequence[Crops]
    runner: Runner
    ticket: Any = None
    error: RuntimeError | None = None
    too_long: bool = False

    @property
    def size(self) -> int:
        return sum(map(len, self.requests))

    def land(self) -> Logits:
        if self.error is not None:
            raise self.error
        return self.runner.finish(self.ticket)


class Engine:
    """Runs one network.

    Safe to use from many threads: requests that arrive while the device is busy share the next batch.
    The same crop gives the same reading whatever its batch mates show; between batches of different
    length, probabilities may differ by rounding: below 1e-5 in float32, below 1e-2 in less.

    When memory ends, the batch is halved and stays so. When a GPU is lost, the work goes on on the CPU, with a warning.

    Parameters
    ----------
    network
        From `tracker.fer.zoo.Zoo.load`.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    batch_size
        Crops per forward pass at most. Larger is faster on a GPU, until its memory ends.
    head
        Which head is read; None takes ``ferplus`` where there is one, else the first.
    precision
        ``float32``, ``bfloat16``, ``float16``, or ``auto`` for the fastest that the device is made for. What is
        less than float32 has to prove itself: the first 64 faces are read both ways, and where a probability is more
        than 1e-2 away, the engine warns, goes on with the next better precision and reads that batch again.
    compiled
        Whether full batches run through ``torch.compile`` on CUDA, which costs up to a minute at first: for bulk.
    linger
        Seconds that a request on an idle device waits for others to fill its batch, at most. 0 for whoever
        waits for an answer.
    clock
        Monotonic seconds, for `linger`.

    Raises
    ------
    tracker.fer.device.DeviceError
        When the device is not there.
    EngineError
        When the device is too small for the network and one face.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tracker import shipped
    >>> from tracker.fer.zoo import Zoo
    >>> engine = Engine(Zoo(shipped.models(), Path("nowhere")).load("default"), "cpu")
    >>> grey = np.full((2, engine.crop.size, engine.crop.size, 3), 128, np.uint8)
    >>> engine.read(grey).probabilities.shape, engine.unread
    ((2, 8), ())
    """

    def __init__(
        self,
        network: Network,
        device: str = "auto",
        batch_size: int = 64,
        head: str | None = None,
        *,
        precision: str = "float32",
        compiled: bool = False,
        linger: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if batch_size < 1:
            raise EngineError(f"a batch of {batch_size} is not possible; use 1 or more")
        self.network = network
        self.device = resolve_device(device, getattr(network.module, "devices", None))
        self._head = network.spec.head(head) if head else usual_head(network.spec)
        self._places = [EMOTIONS.index(Emotion(name)) for name in self._head.classes]
        self.unread = unread(self._head)
        self._batch_size, self._compiled = batch_size, compiled
        try:
            wanted = candidates(precision, self.device)
        except ValueError as error:
            raise EngineError(str(error)) from error
        self._types = list(wanted[-1:] if is_foreign(network.module) else wanted)
        self._runner = self._load()
        self._proof: Proof | None = None
        self._proven = False
        self._shared: SharedBatches[Crops, _Flight, Logits] = SharedBatches(
            self._start, self._finish, self._batch_size, self._runner.depth, linger, clock
        )

    @property
    def crop(self) -> CropSpec:
        """The framing of the crops that `read` takes."""
        return self.network.spec.crop

    @property
    def batch_size(self) -> int:
        """Crops per forward pass at most, after any halving for want of memory."""
        return self._batch_size

    @property
    def precision(self) -> str:
        """The precision in use: ``float32``, ``bfloat16`` or ``float16``."""
        return str(self._types[0]).removeprefix("torch.")

    def read(self, crops: Crops) -> Readings:
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
        logs = np.full((len(crops), len(EMOTIONS)), -np.inf)
        end = 0
        for answer in self._answers(crops):
            z = answer[self._head.name]
            start, end = end, end + len(z)
            # While these are calibrated, the device is at the next ones.
            logs[start:end, self._places] = calibrate(z, self._head.temperature, self._head.smoothing)
        return Readings(np.exp(logs), logs, self.unread)

    def logits(self, crops: Crops) -> Logits:
        """Return uncalibrated logits (N, classes) float32 by head name, for evaluation and calibration."""
        parts = [{h.name: np.zeros((0, len(h.classes)), np.float32) for h in self.network.spec.heads}]
        parts += self._answers(crops)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _answers(self, crops: Crops) -> Iterator[Logits]:
        self._check(crops)
        step = self._batch_size
        pieces = [crops[start : start + step] for start in range(0, len(crops), step)]
        return self._believed(self._shared.submit_all([(piece, len(piece)) for piece in pieces]))

    def _believed(self, answers: Generator[Logits]) -> Iterator[Logits]:
        """Refuse numbers that are none: here, so that nobody else's faces of the same batch are lost with them."""
        with closing(answers):
            for answer in answers:
                if not _finite(answer):
                    raise EngineError(
                        f"{self.network.id} gave numbers that are not finite on {self.device}; try --device cpu"
                    )
                yield answer

    def _check(self, crops: Crops) -> None:
        size = self.crop.size
        if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8:
            kind = crops.dtype if isinstance(crops, np.ndarray) else type(crops).__name__
            raise EngineError(f"crops must be a uint8 array of values 0 to 255, not {kind}")
        if crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise EngineError(
                f"crops must have the shape (N, {size}, {size}, 3), RGB, as {self.network.id} was trained; "
                f"these have {crops.shape}"
            )

    # What follows runs under the device's lock, in one thread at a time.

    def _start(self, requests: Sequence[Crops]) -> _Flight:
        # A request that came before the batch was halved is longer than what the runner has room for.
        if sum(map(len, requests)) > self._batch_size:
            return _Flight(requests, self._runner, too_long=True)
        try:
            return _Flight(requests, self._runner, self._runner.start(requests))
        except RuntimeError as error:
            return _Flight(requests, self._runner, error=error)

    def _finish(self, flight: _Flight) -> list[Logits]:
        whole = None if flight.too_long else self._attempt(flight, flight.runner, flight.size, flight.land)
        while whole is None:
            size = min(flight.size, self._batch_size)
            whole = self._attempt(flight, self._runner, size, lambda: self._in_pieces(flight.requests))
        ends = np.cumsum([len(request) for request in flight.requests])
        return [
            {name: z[end - len(request) : end] for name, z in whole.items()}
            for request, end in zip(flight.requests, ends, strict=True)
        ]

    def _attempt(
        self, flight: _Flight, runner: Runner, size: int, work: Callable[[], Logits]
    ) -> Logits | None:
        """What was read; None where the engine has changed meanwhile, and the batch is to be read again."""
        try:
            found = work()
            return found if runner is self._runner and self._stands(flight.requests, found) else None
        except RuntimeError as error:
            # Batches that were on their way together fail together; the engine gives way to the first.
            if runner is self._runner and not (no_memory(error) and size > self._batch_size):
                self._give_way(error)
            return None

    def _in_pieces(self, requests: Sequence[Crops]) -> Logits:
        crops, runner, step = np.concatenate(requests), self._runner, self._batch_size
        starts = range(0, len(crops), step)
        parts = [runner.finish(runner.start([crops[start : start + step]])) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _stands(self, requests: Sequence[Crops], found: Logits) -> bool:
        """Whether numbers can be believed; where not, the engine goes on with a better precision."""
        if self._types[0] is torch.float32:
            return True
        finite = _finite(found)
        if finite and not self._proven:
            self._proof = self._proof or Proof(self.network, self.device)
            gap = self._proof.gap(requests, found)
            if gap > NEAR:
                self._warn(
                    f"{self.precision} is {gap:.3f} away from float32 in a probability", self._types[1:]
                )
                return False
            self._proven = self._proof.left <= 0
            self._proof = None if self._proven else self._proof
        if not finite:
            self._warn(f"{self.precision} gave numbers that are not finite", self._types[1:])
        return finite

    def _warn(self, why: str, types: list[torch.dtype]) -> None:
        """Say that the engine goes on with another precision, and do so."""
        self._types = types
        self._replace()
        message = f"{self.network.id} on {self.device}: {why}; going on with {self.precision}"
        warnings.warn(message, EngineWarning, stacklevel=2)

    def _load(self) -> Runner:
        while True:
            try:
                return runner_for(
                    self.network, self.device, self._types[0], self._batch_size, compiled=self._compiled
                )
            except RuntimeError as error:
                self._adapt(error)
            gc.collect()  # what was brought to the device in vain lies in cycles
            torch.cuda.empty_cache()

    def _replace(self) -> None:
        self._runner.close()
        self._runner = self._load()
        self._proof, self._proven = None, False
        self._shared.limit, self._shared.depth = self._batch_size, self._runner.depth

    def _give_way(self, error: RuntimeError) -> None:
        before = self.device
        self._adapt(error)
        if self.device != before:
            self._replace()
        else:
            self._runner.shrink(self._batch_size)
            self._shared.limit = self._batch_size

    def _adapt(self, error: RuntimeError) -> None:
        """Halve the batch for want of memory, or leave a device that is lost for the CPU; else the error stands."""
        if no_memory(error):
            if self._batch_size == 1:
                hint = "" if self.device.type == "cpu" else "; try --device cpu"
                raise EngineError(
                    f"{self.device} has too little memory for one face and {self.network.id}{hint}"
                ) from error
            self._batch_size //= 2
        elif device_lost(error) and self.device.type != "cpu":
            message = f"{self.device} is lost ({_line(error)}); {self.network.id} goes on on the CPU"
            self.device, self._types = torch.device("cpu"), [torch.float32]
            warnings.warn(message, EngineWarning, stacklevel=2)
        else:
            raise EngineError(f"{self.network.id} failed on {self.device}: {error}") from error


def _finite(answer: Logits) -> bool:
    return all(bool(np.isfinite(z).all()) for z in answer.values())


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
