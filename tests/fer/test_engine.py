import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.fer.making import EIGHT, crops, tiny_network, tiny_spec
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.fer.batching import SharedBatches
from tracker.fer.calibration import log_softmax
from tracker.fer.device import DeviceError, available_devices, leave_one, resolve_device
from tracker.fer.engine import Engine, EngineError
from tracker.fer.folding import fold_batch_norm
from tracker.fer.preprocess import standardise, to_grey

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(tiny_network(), "cpu", batch_size=4)


def test_readings_are_calibrated_distributions(engine: Engine) -> None:
    found = engine.read(crops(9))
    assert found.probabilities.shape == (9, 8)
    assert found.probabilities.dtype == np.float64
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(np.log(found.probabilities), found.log_probabilities)
    assert found.distribution(3).probabilities == pytest.approx(found.probabilities[3])


def test_the_engine_equals_the_bare_network(engine: Engine) -> None:
    x = crops(6)
    with torch.inference_mode():
        bare = engine.network.module(standardise(to_grey(torch.from_numpy(x))))["ferplus"].numpy()
    expected = np.exp(log_softmax(bare, engine.network.spec.head("ferplus").temperature))
    assert np.abs(engine.read(x).probabilities - expected).max() < TOLERANCE


def test_classes_in_another_order_come_out_in_ours() -> None:
    turned = tuple(reversed(EIGHT))
    straight = Engine(tiny_network(), "cpu").read(crops(3)).probabilities
    other = Engine(tiny_network(tiny_spec(turned)), "cpu").read(crops(3)).probabilities
    assert np.allclose(straight, other[:, ::-1])


def test_no_crops_give_no_readings(engine: Engine) -> None:
    found = engine.read(crops(0))
    assert len(found) == 0
    assert found.probabilities.shape == found.log_probabilities.shape == (0, len(EMOTIONS))


@given(st.permutations(range(11)))
@settings(deadline=None, max_examples=25)
def test_every_permutation_of_a_batch_permutes_the_readings(order: list[int]) -> None:
    engine = Engine(tiny_network(), "cpu", batch_size=16)
    x = crops(11)
    assert np.array_equal(engine.read(x).probabilities[order], engine.read(x[order]).probabilities)


@given(st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=25)
def test_every_batch_size_gives_the_same_readings(n: int, batch_size: int) -> None:
    x = crops(12)
    whole = Engine(tiny_network(), "cpu", batch_size=12).read(x).probabilities
    part = Engine(tiny_network(), "cpu", batch_size=batch_size).read(x[:n]).probabilities
    assert np.abs(whole[:n] - part).max() < TOLERANCE


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (crops(2).astype(np.float32), "must be a uint8 array.*not float32"),
        (np.full((1, 16, 16, 3), np.nan), "must be a uint8 array.*not float64"),
        ([[1, 2]], "not list"),
        (crops(1, 17), r"must have the shape \(N, 16, 16, 3\).*\(1, 17, 17, 3\)"),
        (crops(1)[0], r"these have \(16, 16, 3\)"),
        (crops(1)[..., :1], r"these have \(1, 16, 16, 1\)"),
    ],
)
def test_what_is_no_batch_of_crops(engine: Engine, bad: object, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        engine.read(bad)  # type: ignore[arg-type]


def test_crops_may_be_a_view_that_is_not_contiguous(engine: Engine) -> None:
    x = crops(6)
    flipped = x[::2, :, ::-1]
    assert np.array_equal(engine.read(flipped).probabilities, engine.read(flipped.copy()).probabilities)


def test_crops_may_be_read_only(engine: Engine) -> None:
    x = crops(2)
    x.flags.writeable = False
    assert len(engine.read(x)) == 2


class _Greedy(nn.Module):
    """A network that fits only so many faces into its memory."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.inside = tiny_network().module

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if len(x) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return self.inside(x)  # type: ignore[no-any-return]


def _engine_with(module: nn.Module, batch_size: int, device: str = "cpu") -> Engine:
    return Engine(replace(tiny_network(), module=module), device, batch_size=batch_size)


def test_too_little_memory_halves_the_batch() -> None:
    engine = _engine_with(_Greedy(3), 16)
    expected = Engine(tiny_network(), "cpu").read(crops(10)).probabilities
    assert np.abs(engine.read(crops(10)).probabilities - expected).max() < TOLERANCE
    assert engine.batch_size == 2


def test_memory_for_not_even_one_face() -> None:
    with pytest.raises(EngineError, match="too little memory for one face"):
        _engine_with(_Greedy(0), 8).read(crops(3))


def test_numbers_that_are_not_finite_are_refused() -> None:
    network = tiny_network()
    network.module.state_dict()["heads.ferplus.bias"][2] = float("inf")
    with pytest.raises(EngineError, match="not finite"):
        Engine(network, "cpu").read(crops(1))


class _Flat(nn.Module):
    """Gives numbers that are none for a crop without any contrast."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = tiny_network().module

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        flat = (x == 0).flatten(1).all(1)[:, None]
        return {name: torch.where(flat, torch.nan, z) for name, z in self.inside(x).items()}


def test_numbers_that_are_none_are_the_affair_of_whose_face_it_is() -> None:
    engine = _engine_with(_Flat(), 8)
    found: dict[int, Any] = {}

    def work(i: int, x: np.ndarray) -> None:
        try:
            found[i] = engine.read(x).probabilities
        except EngineError as error:
            found[i] = str(error)

    requests = [crops(2), np.full_like(crops(1), 9), crops(3)]
    threads = [threading.Thread(target=work, args=(i, x)) for i, x in enumerate(requests)]
    with engine._shared._device:  # so that they share a batch
        for n, thread in enumerate(threads, start=1):
            thread.start()
            while len(engine._shared._waiting) < n:
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    expected = Engine(tiny_network(), "cpu").read(crops(3)).probabilities
    assert "not finite" in str(found[1])
    assert np.abs(found[0] - expected[:2]).max() < TOLERANCE
    assert np.abs(found[2] - expected).max() < TOLERANCE


def test_a_head_without_contempt_says_that_it_was_not_read() -> None:
    spec = tiny_spec(tuple(reversed(EIGHT[:7])))
    engine = Engine(tiny_network(spec), "cpu")
    found = engine.read(crops(3))
    assert engine.unread == found.unread == (Emotion.CONTEMPT,)
    assert (found.probabilities[:, 7] == 0).all()
    assert np.isneginf(found.log_probabilities[:, 7]).all()
    assert np.allclose(found.probabilities.sum(axis=1), 1)
    seven = np.exp(log_softmax(engine.logits(crops(3))["ferplus"], 1.3))
    assert np.allclose(found.probabilities[:, :7], seven[:, ::-1])
    assert found.distribution(0)[Emotion.CONTEMPT] == 0


def test_threads_get_their_own_readings() -> None:
    engine = Engine(tiny_network(), "cpu", batch_size=8)
    batches = [crops(1 + i % 3, seed=i) for i in range(24)]
    expected = [engine.read(x).probabilities for x in batches]
    found: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        found[i] = engine.read(batches[i]).probabilities

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, probabilities in enumerate(expected):
        assert np.abs(found[i] - probabilities).max() < TOLERANCE


def test_requests_that_come_while_the_device_is_busy_share_a_batch() -> None:
    busy, go = threading.Event(), threading.Event()
    seen: list[list[int]] = []

    def run(requests: Sequence[int]) -> list[int]:
        seen.append(list(requests))
        busy.set()
        go.wait(10)
        return [r * 10 for r in requests]

    shared: SharedBatches[int, Sequence[int], int] = SharedBatches(lambda batch: batch, run, limit=3)
    answers: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda i=i: answers.update({i: shared.submit(i, 1)}))  # type: ignore[misc]
        for i in range(6)
    ]
    threads[0].start()
    assert busy.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(shared._waiting) < 5:
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert answers == {i: i * 10 for i in range(6)}
    assert [len(batch) for batch in seen] == [1, 3, 2]


def test_an_error_in_a_batch_reaches_everybody_in_it_and_nobody_after() -> None:
    def run(requests: Sequence[int]) -> list[int]:
        if 0 in requests:
            raise EngineError("no")
        return list(requests)

    shared: SharedBatches[int, Sequence[int], int] = SharedBatches(lambda batch: batch, run, limit=8)
    with pytest.raises(EngineError, match="no"):
        shared.submit(0, 1)
    assert shared.submit(1, 1) == 1


def test_folding_keeps_the_function_and_the_original() -> None:
    module = tiny_network().module
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -1, 1)  # type: ignore[arg-type]
            nn.init.uniform_(layer.running_var, 0.5, 2)  # type: ignore[arg-type]
    before = {name: value.clone() for name, value in module.state_dict().items()}
    x = torch.randn(4, 1, 16, 16)
    with torch.inference_mode():
        folded = fold_batch_norm(module)(x)["ferplus"]
        assert (folded - module(x)["ferplus"]).abs().max() < TOLERANCE
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_devices() -> None:
    assert available_devices()[-1] == "cpu"
    assert resolve_device("auto").type == available_devices()[0]
    with pytest.raises(DeviceError, match="'tpu' is unknown; use one of auto, cpu, cuda, mps"):
        resolve_device("tpu")
    with pytest.raises(DeviceError, match="unknown"):
        resolve_device("cuda:x")
    for kind in {"cuda", "mps"} - set(available_devices()):
        with pytest.raises(
            DeviceError, match=f"'{kind}' was asked for but is not there; this machine has:.*cpu"
        ):
            resolve_device(kind)


def test_a_batch_size_that_is_none() -> None:
    with pytest.raises(EngineError, match="batch of 0"):
        Engine(tiny_network(), "cpu", batch_size=0)


def test_a_network_that_runs_elsewhere_takes_the_fastest_device_that_it_can_use() -> None:
    assert resolve_device("auto", ("cpu",)) == torch.device("cpu")
    assert resolve_device("auto", available_devices()).type == available_devices()[0]


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (2, 1), (4, 3)])
def test_a_network_leaves_a_processor_to_the_detector(processors: int, threads: int) -> None:
    before = torch.get_num_threads()
    try:
        leave_one(processors)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
