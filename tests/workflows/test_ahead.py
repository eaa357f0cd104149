"""Running ahead: order kept, never more than a few ahead, errors in their place, and a clean end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.workflows.ingest.ahead import Ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
@settings(deadline=None, max_examples=50)
def test_every_item_comes_once_and_in_order(items: list[int], room: int) -> None:
    with Ahead(iter(items), room) as ahead:
        assert list(ahead) == items
        assert ahead.rest() == []


@given(st.integers(0, 12), st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_what_is_taken_and_what_is_left_are_all_that_was_made_wherever_one_stops(
    taken: int, room: int
) -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for n in range(12):
            made.append(n)
            yield n

    with Ahead(items(), room) as ahead:
        got = [item for _, item in zip(range(taken), ahead, strict=False)]
        left = ahead.rest()
    assert got + left == made
    assert len(left) <= room + 1  # what is ready, and the one that was at hand


def test_it_never_runs_further_ahead_than_there_is_room() -> None:
    made = 0
    full = threading.Event()

    def items() -> Iterator[int]:
        nonlocal made
        for n in range(100):
            made = n + 1
            if made == 4:
                full.set()
            yield n

    with Ahead(items(), room=3) as ahead:
        assert full.wait(30)
        with ahead._changed:
            assert len(ahead._ready) == 3
        assert made == 4
        assert next(ahead) == 0
        assert len(ahead.rest()) == made - 1


def test_an_error_comes_after_everything_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("the camera vanished")

    with Ahead(items(), room=5) as ahead:
        assert [next(ahead), next(ahead)] == [1, 2]
        with pytest.raises(ValueError, match="the camera vanished"):
            next(ahead)
        with pytest.raises(StopIteration):
            next(ahead)


def test_an_interruption_loses_nothing_and_leaves_no_thread() -> None:
    before = threading.active_count()

    def interrupted() -> list[int]:
        with Ahead(iter(range(50)), room=3) as ahead:
            got: list[int] = []
            try:
                for item in ahead:
                    got.append(item)
                    if item == 10:
                        raise KeyboardInterrupt
            finally:
                got += ahead.rest()
                kept.extend(got)
        return got

    kept: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert kept == list(range(len(kept)))
    assert 11 <= len(kept) <= 15
    assert threading.active_count() == before
