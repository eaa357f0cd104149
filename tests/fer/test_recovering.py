"""What the engine does when a device runs out of memory, is lost, or gives wrong numbers; errors are torch's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.fer.making import crops, tiny_network
from tracker.fer import engine as engines
from tracker.fer.device import available_devices
from tracker.fer.engine import Engine, EngineError, EngineWarning
from tracker.fer.failures import device_lost, no_memory
from tracker.fer.precision import candidates, reduced
from tracker.fer.proving import FACES
from tracker.fer.running import Crops, Logits, Plain
from tracker.fer.zoo import Network

TOLERANCE = 1e-5
NEAR = 1e-2
LOST = RuntimeError(
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported"
)
CUDA = torch.device("cuda", 0)
devices = pytest.mark.parametrize("device", available_devices())


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return Engine(tiny_network(), "cpu").read(crops(40)).probabilities


class _Card:
    """A CUDA device as far as the engine sees it: what it computes is the CPU's, and its errors are CUDA's."""

    depth = 2

    def __init__(self) -> None:
        self.memory = 10**9
        self.started: list[int] = []
        self.fails: dict[int, RuntimeError] = {}
        self.closed = self.shrunk_to = 0
        self.away = 0.0
        self.lost = False

    def put(
        self, network: Network, device: torch.device, dtype: torch.dtype, limit: int, **_: bool
    ) -> object:
        if device.type == "cpu":
            return Plain(network, device, dtype)
        if limit > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.dtype = dtype
        self.plain = Plain(network, torch.device("cpu"), torch.float32)
        return self

    def start(self, requests: Sequence[Crops]) -> list[Crops]:
        n = sum(map(len, requests))
        self.started.append(n)
        if n > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return list(requests)

    def finish(self, ticket: list[Crops]) -> Logits:
        # Kernels run after the call that queued them: their errors come out here, and stay.
        number = len(self.started)
        if error := self.fails.pop(number, LOST if self.lost else None):
            self.lost = device_lost(error)
            raise error
        found = self.plain.start(ticket)
        if self.dtype is torch.float32:
            return found
        if np.isnan(self.away):
            return {name: np.full_like(z, np.nan) for name, z in found.items()}
        return {
            name: z + np.linspace(0, self.away, z.shape[1], dtype=np.float32) for name, z in found.items()
        }

    def shrink(self, limit: int) -> None:
        self.shrunk_to = limit

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Card]:
    card = _Card()
    monkeypatch.setattr(engines, "runner_for", card.put)
    monkeypatch.setattr(
        engines, "resolve_device", lambda name, able: CUDA if name == "cuda" else torch.device(name)
    )
    monkeypatch.setattr(engines, "candidates", lambda precision, device: (
        (torch.float32,) if precision == "float32" else (torch.float16, torch.bfloat16, torch.float32)
    ))  # fmt: skip
    monkeypatch.setattr("tracker.fer.proving.Plain", lambda n, d, t: Plain(n, torch.device("cpu"), t))
    return card


def test_too_little_memory_halves_the_batch_and_never_grows_back(card: _Card, expected: np.ndarray) -> None:
    engine = Engine(tiny_network(), "cuda", batch_size=32)
    card.memory = 9
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < TOLERANCE
    assert engine.batch_size == card.shrunk_to == 8
    card.memory = 10**9
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < TOLERANCE
    assert engine.batch_size == 8
    assert engine.device == CUDA


def test_two_batches_that_run_out_of_memory_together_halve_once(card: _Card) -> None:
    engine = Engine(tiny_network(), "cuda", batch_size=8)
    card.memory = 4
    assert len(engine.read(crops(16))) == 16
    assert card.started[:2] == [8, 8]
    assert engine.batch_size == 4


def test_a_device_that_holds_a_smaller_batch_from_the_beginning(card: _Card, expected: np.ndarray) -> None:
    card.memory = 5
    engine = Engine(tiny_network(), "cuda", batch_size=32)
    assert engine.batch_size == 4
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < TOLERANCE


def test_a_device_too_small_for_the_network(card: _Card) -> None:
    card.memory = 0
    with pytest.raises(
        EngineError, match=r"cuda:0 has too little memory for one face and tiny@.*try --device cpu"
    ):
        Engine(tiny_network(), "cuda")


def test_a_lost_device_is_left_for_the_cpu_with_one_warning_and_nothing_is_lost(
    card: _Card, expected: np.ndarray
) -> None:
    engine = Engine(tiny_network(), "cuda", batch_size=8)
    card.fails[2] = LOST
    with pytest.warns(
        EngineWarning, match=r"cuda:0 is lost \(CUDA error: an illegal.*goes on on the CPU"
    ) as told:
        found = engine.read(crops(40))
    assert len(told) == 1
    assert np.abs(found.probabilities - expected).max() < TOLERANCE
    assert engine.device == torch.device("cpu")
    assert card.closed == 1
    begun = len(card.started)
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < TOLERANCE
    assert len(card.started) == begun


def test_a_device_that_is_lost_while_the_network_is_brought_to_it(
    monkeypatch: pytest.MonkeyPatch, card: _Card, expected: np.ndarray
) -> None:
    def put(network: Network, device: torch.device, dtype: torch.dtype, limit: int, **_: bool) -> object:
        if device.type == "cuda":
            raise torch.AcceleratorError(
                "CUDA error: no kernel image is available for execution on the device"
            )
        return Plain(network, device, dtype)

    monkeypatch.setattr(engines, "runner_for", put)
    with pytest.warns(EngineWarning, match="is lost"):
        engine = Engine(tiny_network(), "cuda")
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < TOLERANCE


def test_another_error_is_no_lost_device(card: _Card) -> None:
    engine = Engine(tiny_network(), "cuda")
    card.fails[1] = RuntimeError("expected 3 channels")
    with pytest.raises(EngineError, match="failed on cuda:0: expected 3 channels"):
        engine.read(crops(2))
    assert len(engine.read(crops(2))) == 2


def test_precision_that_is_near_stays_and_is_compared_on_the_first_faces_only(card: _Card) -> None:
    card.away = 1e-3
    engine = Engine(tiny_network(), "cuda", precision="auto")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.read(crops(FACES - 1))
        assert engine._proof is not None
        engine.read(crops(5))
    assert engine.precision == "float16"
    assert engine._proof is None


def test_precision_that_is_far_is_left_with_a_warning(card: _Card, expected: np.ndarray) -> None:
    card.away = 1.0
    engine = Engine(tiny_network(), "cuda", precision="auto")
    with pytest.warns(EngineWarning) as told:
        found = engine.read(crops(40))
    messages = [str(warning.message) for warning in told]
    assert [message.rpartition(" ")[2] for message in messages] == ["bfloat16", "float32"]
    assert all("away from float32 in a probability; going on with" in message for message in messages)
    assert engine.precision == "float32"
    assert np.abs(found.probabilities - expected).max() < TOLERANCE


def test_numbers_that_are_none_in_half_precision_are_read_again(card: _Card, expected: np.ndarray) -> None:
    engine = Engine(tiny_network(), "cuda", precision="auto")
    engine.read(crops(FACES))
    card.away = np.nan
    with pytest.warns(EngineWarning, match="not finite; going on with"):
        found = engine.read(crops(40))
    assert engine.precision == "float32"
    assert np.abs(found.probabilities - expected).max() < TOLERANCE


@devices
@pytest.mark.parametrize("precision", ["auto", "bfloat16", "float16", "float32"])
def test_every_precision_on_every_device_is_near_float32(
    device: str, precision: str, expected: np.ndarray
) -> None:
    engine = Engine(tiny_network(), device, batch_size=16, precision=precision)
    found = engine.read(crops(40)).probabilities
    assert np.abs(found - expected).max() < (1e-4 if precision == "float32" else NEAR)
    assert engine.device.type == device
    assert precision in ("auto", engine.precision)


@devices
@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 40])
def test_every_device_reads_batches_of_every_length_alike(device: str, n: int, expected: np.ndarray) -> None:
    engine = Engine(tiny_network(), device, batch_size=16)
    assert np.abs(engine.read(crops(40)[:n]).probabilities - expected[:n]).max() < 1e-4


class _Failing(nn.Module):
    """Raises what it is told to, on batches of more than so many crops."""

    def __init__(self, most: int, error: Exception) -> None:
        super().__init__()
        self.inside, self.most, self.error = tiny_network().module, most, error

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if len(x) > self.most:
            raise self.error
        return self.inside(x)  # type: ignore[no-any-return]


@devices
def test_every_device_halves_its_batch(device: str, expected: np.ndarray) -> None:
    module = _Failing(9, torch.OutOfMemoryError("out of memory"))
    engine = Engine(replace(tiny_network(), module=module), device, batch_size=32)
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < 1e-4
    assert engine.batch_size == 8


@pytest.mark.skipif("cuda" not in available_devices(), reason="there is no CUDA device")
def test_a_real_cuda_device_that_is_compiled_for_reads_alike(expected: np.ndarray) -> None:
    engine = Engine(tiny_network(), "cuda", batch_size=16, precision="auto", compiled=True)
    assert np.abs(engine.read(crops(40)).probabilities - expected).max() < NEAR
    assert np.abs(engine.read(crops(3)).probabilities - expected[:3]).max() < NEAR


def test_what_torch_says_is_understood() -> None:
    assert no_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not no_memory(ValueError("out of memory"))
    assert device_lost(LOST)
    assert device_lost(torch.AcceleratorError("CUDA error: unspecified launch failure"))
    assert not device_lost(torch.OutOfMemoryError("CUDA out of memory"))
    assert not device_lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_precisions_and_what_they_leave_alone() -> None:
    with pytest.raises(EngineError, match="'int4' is unknown; use one of auto, float32, bfloat16, float16"):
        Engine(tiny_network(), "cpu", precision="int4")
    assert candidates("auto", torch.device("cpu"))[-1] is torch.float32
    module = tiny_network().module
    before = {name: value.clone() for name, value in module.state_dict().items()}
    half = reduced(nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 16, 3), nn.Conv2d(16, 4, 1)), torch.bfloat16,
                   torch.device("cpu"))  # fmt: skip
    assert sorted({str(p.dtype) for p in half.parameters()}) == ["torch.bfloat16", "torch.float32"]
    reduced(module, torch.bfloat16, torch.device("cpu"))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
