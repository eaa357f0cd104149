"""The slots of a CUDA device, on a machine without one: its streams are stood in for, everything else is real."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.fer.making import crops, tiny_network
from tracker.fer import streams
from tracker.fer.engine import Engine, EngineWarning
from tracker.fer.streams import Streamed

CPU = torch.device("cpu")


class _Event:
    """Says in which order batches were waited for."""

    def record(self, stream: object) -> None: ...

    def synchronize(self) -> None: ...


class _Graph:
    """What was recorded runs again when it is replayed, as a graph's kernels do."""

    recording: _Graph | None = None

    def __init__(self) -> None:
        self.replays = 0
        self.again: Any = None

    def replay(self) -> None:
        self.replays += 1
        self.again()


class _Cuda(SimpleNamespace):
    graphs_fail: str | None = None
    made: list[_Graph]


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> _Cuda:
    made: list[_Graph] = []

    @contextlib.contextmanager
    def graph(one: _Graph, pool: object, stream: object, capture_error_mode: str) -> Iterator[None]:
        if fake.graphs_fail:
            raise RuntimeError(fake.graphs_fail)
        assert pool is not None
        assert capture_error_mode == "thread_local"
        made.append(one)
        _Graph.recording = one
        yield
        _Graph.recording = None

    fake = _Cuda(
        Stream=lambda device: SimpleNamespace(synchronize=lambda: None),
        Event=_Event,
        CUDAGraph=_Graph,
        graph=graph,
        graph_pool_handle=object,
        stream=lambda _: contextlib.nullcontext(),
        device=lambda _: contextlib.nullcontext(),
        synchronize=lambda _: None,
        empty_cache=lambda: None,
        made=made,
    )
    torch_without = SimpleNamespace(
        **{
            name: getattr(torch, name)
            for name in ("Tensor", "zeros", "uint8", "from_numpy", "float32", "compile")
        },
        inference_mode=torch.inference_mode,
        backends=torch.backends,
        cuda=fake,
        device=lambda *_: CPU,
    )
    read = Streamed._read

    def recorded(self: Streamed, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        found = read(self, pixels)
        if (one := _Graph.recording) is not None:

            def again() -> None:
                for name, z in read(self, pixels).items():
                    found[name].copy_(z)

            one.again = again
        return found

    monkeypatch.setattr(Streamed, "_read", recorded)
    monkeypatch.setattr(streams, "torch", torch_without)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    return fake


def _expected(n: int) -> np.ndarray:
    return Engine(tiny_network(), "cpu").logits(crops(40))["ferplus"][:n]


def test_batches_of_every_length_in_flight_at_once_come_back_as_they_went(cuda: _Cuda) -> None:
    runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 16)
    x = crops(40)
    expected = _expected(40)
    for first, second, third in [(1, 16, 3), (7, 2, 16), (16, 16, 8)]:
        edges = np.cumsum([0, first, second, third])
        tickets = [runner.start([x[a : (a + b) // 2], x[(a + b) // 2 : b]]) for a, b in pairwise(edges)]
        for ticket, (a, b) in zip(tickets, pairwise(edges), strict=True):
            assert np.abs(runner.finish(ticket)["ferplus"] - expected[a:b]).max() < 1e-5
    # Three slots; each has recorded the full batch, and of smaller ones only what it was given.
    assert 3 <= len(cuda.made) <= 3 * 5
    assert sum(graph.replays for graph in cuda.made) == 3 + 9


def test_crops_that_are_no_plain_memory_are_sent_too(cuda: _Cuda) -> None:
    runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 8)
    x = crops(40)[:8]
    turned = x[::-1]
    x.flags.writeable = False
    expected = _expected(8)
    assert np.abs(runner.finish(runner.start([x]))["ferplus"] - expected).max() < 1e-5
    assert np.abs(runner.finish(runner.start([turned]))["ferplus"] - expected[::-1]).max() < 1e-5


def test_where_no_graph_can_be_made_the_work_is_done_without(cuda: _Cuda) -> None:
    cuda.graphs_fail = "CUDA error: operation not permitted when stream is capturing"
    with pytest.warns(EngineWarning, match="no CUDA graph can be made"):
        runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 8)
    assert np.abs(runner.finish(runner.start([crops(40)[:5]]))["ferplus"] - _expected(5)).max() < 1e-5


@pytest.mark.parametrize("said", ["CUDA out of memory", "CUDA error: unspecified launch failure"])
def test_a_full_or_lost_device_is_the_engines_affair_and_no_slot_is_lost(cuda: _Cuda, said: str) -> None:
    runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 8)
    cuda.graphs_fail = said
    for _ in range(5):  # more often than there are slots
        with pytest.raises(RuntimeError, match=said):
            runner.start([crops(3)])
    cuda.graphs_fail = None
    assert len(runner.finish(runner.start([crops(3)]))["ferplus"]) == 3


def test_a_smaller_limit_lets_go_of_larger_graphs_and_records_its_own(cuda: _Cuda) -> None:
    runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 16)
    runner.finish(runner.start([crops(40)[:3]]))
    runner.shrink(6)
    assert sorted(bucket for slot in runner._slots for bucket in slot.graphs) == [4]
    assert np.abs(runner.finish(runner.start([crops(40)[:6]]))["ferplus"] - _expected(6)).max() < 1e-5
    runner.close()
    assert not any(slot.graphs for slot in runner._slots)


def test_an_engine_on_slots_reads_as_one_without(cuda: _Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tracker.fer.engine.runner_for",
        lambda network, device, dtype, limit, **_: Streamed(network, device, dtype, limit),
    )
    engine = Engine(tiny_network(), "cpu", batch_size=6)
    assert engine._shared.depth == 3
    assert np.abs(engine.logits(crops(40))["ferplus"] - _expected(40)).max() < 1e-5


def test_an_engine_on_slots_reads_requests_that_came_before_its_batch_was_halved(
    cuda: _Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(Streamed):
        failed = False

        def start(self, requests: Any) -> Any:
            if not self.failed:
                self.failed = True
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().start(requests)

    monkeypatch.setattr(
        "tracker.fer.engine.runner_for",
        lambda network, device, dtype, limit, **_: Small(network, device, dtype, limit),
    )
    engine = Engine(tiny_network(), "cpu", batch_size=8)
    assert np.abs(engine.logits(crops(40))["ferplus"] - _expected(40)).max() < 1e-5
    assert engine.batch_size == 4


@pytest.mark.parametrize("fails", [None, "CUDA error: operation not permitted when stream is capturing"])
@pytest.mark.filterwarnings("ignore:no CUDA graph")
def test_float32_is_float32_whether_it_is_recorded_or_not(
    cuda: _Cuda, monkeypatch: pytest.MonkeyPatch, fails: str | None
) -> None:
    inside: list[torch.dtype] = []
    seen: list[list[torch.dtype]] = []

    @contextlib.contextmanager
    def exact(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
        inside.append(dtype)
        yield
        inside.pop()

    monkeypatch.setattr(streams, "exact", exact)
    cuda.graphs_fail = fails
    runner = Streamed(tiny_network(), torch.device("cuda"), torch.float32, 8)
    runner._answering.register_forward_pre_hook(lambda *_: seen.append(list(inside)))
    runner.finish(runner.start([crops(40)[:5]]))
    assert seen
    assert all(dtypes == [torch.float32] for dtypes in seen)
