"""Batches across threads: whoever comes while the device is busy rides in the next batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Place(Generic[Request, Answer]):
    request: Request
    size: int
    answer: Answer | None = None
    error: BaseException | None = None
    done: bool = False


class SharedBatches(Generic[Request, Answer]):
    """Run requests of many threads together, in the order they came.

    There is no waiting for a batch to fill: a request on an idle device runs at once, and requests that
    arrive meanwhile form the next batch. So the batch grows with the load by itself and no deadline has to
    be chosen.

    Parameters
    ----------
    run
        Called with the requests of one batch, by one thread at a time; answers in the same order.
    limit
        Sizes are added up to this many per batch; a single larger request runs alone.
    """

    def __init__(self, run: Callable[[Sequence[Request]], Sequence[Answer]], limit: int) -> None:
        self._run = run
        self._limit = limit
        self._waiting: deque[_Place[Request, Answer]] = deque()
        self._queue = threading.Lock()
        self._device = threading.Lock()

    def submit(self, request: Request, size: int) -> Answer:
        """Return the answer, after at most the batches that were ahead; errors of the batch are raised."""
        place: _Place[Request, Answer] = _Place(request, size)
        with self._queue:
            self._waiting.append(place)
        with self._device:
            while not place.done:
                self._serve(self._take())
        if place.error is not None:
            raise place.error
        assert place.answer is not None
        return place.answer

    def _take(self) -> list[_Place[Request, Answer]]:
        with self._queue:
            batch = [self._waiting.popleft()]
            total = batch[0].size
            while self._waiting and total + self._waiting[0].size <= self._limit:
                batch.append(self._waiting.popleft())
                total += batch[-1].size
            return batch

    def _serve(self, batch: list[_Place[Request, Answer]]) -> None:
        try:
            answers = self._run([place.request for place in batch])
            for place, answer in zip(batch, answers, strict=True):
                place.answer = answer
        except BaseException as error:
            for place in batch:
                place.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for place in batch:
                place.done = True
