"""Batches that several threads share: depth, deadline, errors, and callers who stop half-way."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.fer.batching import SharedBatches

Batches = SharedBatches[int, list[int], int]


def _tenfold(flight: Sequence[int]) -> list[int]:
    return [request * 10 for request in flight]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(1, 8), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_every_request_gets_its_own_answer_in_order(sizes: list[int], limit: int, depth: int) -> None:
    flying = most = 0
    batches: list[list[int]] = []

    def start(requests: Sequence[int]) -> list[int]:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        batches.append(list(requests))
        return list(requests)

    def finish(flight: list[int]) -> list[int]:
        nonlocal flying
        flying -= 1
        return _tenfold(flight)

    shared: Batches = SharedBatches(start, finish, limit, depth)
    answers = list(shared.submit_all(list(enumerate(sizes))))
    assert answers == [i * 10 for i in range(len(sizes))]
    assert [request for batch in batches for request in batch] == list(range(len(sizes)))
    assert all(len(batch) == 1 or sum(sizes[i] for i in batch) <= limit for batch in batches)
    assert most <= depth
    assert flying == 0
    # As full as the order allows: no batch could have taken the first of the next one.
    assert all(sum(sizes[i] for i in batch) + sizes[after[0]] > limit for batch, after in pairwise(batches))


def test_with_a_depth_of_two_the_next_batch_is_begun_before_the_first_is_finished() -> None:
    log: list[str] = []

    def start(requests: Sequence[int]) -> list[int]:
        log.append(f"start {requests[0]}")
        return list(requests)

    def finish(flight: list[int]) -> list[int]:
        log.append(f"finish {flight[0]}")
        return _tenfold(flight)

    shared: Batches = SharedBatches(start, finish, limit=1, depth=2)
    answers = shared.submit_all([(n, 1) for n in range(3)])
    assert next(answers) == 0
    assert log == ["start 0", "start 1", "finish 0"]  # while the caller has an answer, the device has work
    assert list(answers) == [10, 20]
    assert log[3:] == ["start 2", "finish 1", "finish 2"]


def test_an_idle_device_runs_at_once_where_nothing_lingers() -> None:
    shared: Batches = SharedBatches(list, _tenfold, limit=100, clock=lambda: 0.0)
    shared._came.wait = lambda timeout=None: pytest.fail("it waited")  # type: ignore[method-assign]
    assert shared.submit(1, 1) == 10


def test_a_lingering_request_goes_when_its_batch_is_full_and_not_later() -> None:
    seen: list[list[int]] = []

    def start(requests: Sequence[int]) -> list[int]:
        seen.append(list(requests))
        return list(requests)

    # A clock that stands still: a deadline would never come, only a full batch lets go.
    shared: Batches = SharedBatches(start, _tenfold, limit=3, linger=60.0, clock=lambda: 0.0)
    answers: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda i=i: answers.update({i: shared.submit(i, 1)}))  # type: ignore[misc]
        for i in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {0: 0, 1: 10, 2: 20}
    assert [sorted(batch) for batch in seen] == [[0, 1, 2]]


def test_a_lingering_request_goes_alone_after_its_deadline() -> None:
    ticks = iter([0.0, 5.0, 59.9, 60.0])
    waited: list[float] = []
    shared: Batches = SharedBatches(list, _tenfold, limit=3, linger=60.0, clock=lambda: next(ticks))

    def wait(seconds: float | None = None) -> bool:
        assert seconds is not None
        waited.append(seconds)
        return False

    shared._came.wait = wait  # type: ignore[method-assign]
    assert shared.submit(7, 1) == 70
    assert waited == pytest.approx([55.0, 0.1])


def test_an_error_reaches_everybody_in_its_batch_and_nobody_after() -> None:
    def finish(flight: list[int]) -> list[int]:
        if 0 in flight:
            raise ValueError("no")
        return _tenfold(flight)

    shared: Batches = SharedBatches(list, finish, limit=2, depth=2)
    answers = shared.submit_all([(n, 1) for n in (0, 1, 2, 3, 4, 5)])
    with pytest.raises(ValueError, match="no"):
        next(answers)
    assert shared.submit(9, 1) == 90


def test_an_error_at_the_start_is_told_and_nothing_hangs() -> None:
    def start(requests: Sequence[int]) -> list[int]:
        if requests[0] == 0:
            raise ValueError("cannot begin")
        return list(requests)

    shared: Batches = SharedBatches(start, _tenfold, limit=1, depth=2)
    with pytest.raises(ValueError, match="cannot begin"):
        shared.submit(0, 1)
    assert shared.submit(1, 1) == 10


def test_what_has_not_begun_is_not_begun_when_the_caller_stops() -> None:
    begun: list[int] = []

    def start(requests: Sequence[int]) -> list[int]:
        begun.extend(requests)
        return list(requests)

    shared: Batches = SharedBatches(start, _tenfold, limit=1, depth=2)
    answers = shared.submit_all([(n, 1) for n in range(10)])
    assert next(answers) == 0
    answers.close()
    assert begun == [0, 1]
    assert shared.submit(50, 1) == 500  # lands what was left flying first
    assert begun == [0, 1, 50]


def test_an_interruption_is_the_interrupted_threads_own() -> None:
    def finish(flight: list[int]) -> list[int]:
        if flight == [0]:
            raise KeyboardInterrupt
        return _tenfold(flight)

    shared: Batches = SharedBatches(list, finish, limit=1)
    with pytest.raises(KeyboardInterrupt):
        shared.submit(0, 1)
    assert shared.submit(1, 1) == 10


class _Interrupt(BaseException):
    """Like Ctrl-C, but pytest does not stop at it."""


def test_what_an_interrupted_thread_served_for_others_waits_for_the_next_who_serves() -> None:
    begun: list[list[int]] = []

    def start(requests: Sequence[int]) -> list[int]:
        begun.append(list(requests))
        if len(begun) == 1:
            raise _Interrupt
        return list(requests)

    shared: Batches = SharedBatches(start, _tenfold, limit=2)
    others = shared.submit_all([(1, 1), (2, 1)])
    with pytest.raises(_Interrupt):
        shared.submit(0, 1)
    assert list(others) == [10, 20]
    assert begun == [[1, 2], [1, 2]]  # and what nobody waits for any more is not read
