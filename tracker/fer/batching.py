"""Batches across threads: whoever comes while the device is busy rides in the next batch."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Flight = TypeVar("Flight")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Place(Generic[Request, Answer]):
    request: Request
    size: int
    came_at: float
    answer: Answer | None = None
    error: BaseException | None = None
    done: bool = False


class SharedBatches(Generic[Request, Flight, Answer]):
    """Run requests of many threads together, in the order they came.

    A request on an idle device runs at once, and requests that arrive meanwhile form the next batch: so the batch
    grows with the load by itself. Where a fuller batch is worth a wait, `linger` says how long at most.

    There is no thread of its own: of those who wait for an answer, one at a time serves all until their own is there.

    Parameters
    ----------
    start
        Called with the requests of one batch; begins the work on the device and returns what `finish` needs.
    finish
        Waits for that work; answers in the order of the requests. Both are called by one thread at a time, and for
        each batch in turn.
    limit
        Sizes are added up to this many per batch; a single larger request runs alone.
    depth
        Batches that were started and not finished, at most. With two, the device works on one while the next is
        brought to it.
    linger
        Seconds that the oldest request waits for others, at most, while the device is idle and the batch not full.
    clock
        Monotonic seconds.

    Examples
    --------
    >>> doubled = SharedBatches(lambda batch: batch, lambda batch: [2 * x for x in batch], limit=4)
    >>> doubled.submit(21, 1), list(doubled.submit_all([(1, 1), (2, 1)]))
    (42, [2, 4])
    """

    def __init__(
        self,
        start: Callable[[Sequence[Request]], Flight],
        finish: Callable[[Flight], Sequence[Answer]],
        limit: int,
        depth: int = 1,
        linger: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start, self._finish = start, finish
        self.limit = limit
        self.depth = depth
        self._linger, self._clock = linger, clock
        self._waiting: deque[_Place[Request, Answer]] = deque()
        self._came = threading.Condition()
        self._device = threading.Lock()
        # Guarded by the device's lock. Whoever has a place in a flight waits for that lock; the flight of somebody
        # who stopped waiting is landed by whoever comes next.
        self._flying: deque[tuple[list[_Place[Request, Answer]], Flight]] = deque()

    def submit(self, request: Request, size: int) -> Answer:
        """Return the answer, after at most the batches that were ahead; errors of the batch are raised."""
        return next(self.submit_all([(request, size)]))

    def submit_all(self, requests: Sequence[tuple[Request, int]]) -> Generator[Answer]:
        """Enqueue requests with their sizes at once, and give each answer as soon as it is there, in their order.

        While the caller works with an answer, the device works on the next ones. What has not begun when the caller
        stops half-way, or an error is raised, is not begun any more.
        """
        now = self._clock()
        places: list[_Place[Request, Answer]] = [_Place(request, size, now) for request, size in requests]
        with self._came:
            self._waiting.extend(places)
            self._came.notify_all()
        return self._answers(deque(places))

    def _answers(self, places: deque[_Place[Request, Answer]]) -> Generator[Answer]:
        try:
            while places:
                place = places[0]
                self._serve_until(place)
                places.popleft()
                if place.error is not None:
                    raise place.error
                assert place.answer is not None
                yield place.answer
        finally:
            with self._came:
                for place in places:
                    if place in self._waiting:
                        self._waiting.remove(place)

    def _serve_until(self, place: _Place[Request, Answer]) -> None:
        with self._device:
            while not place.done:
                while len(self._flying) < self.depth and (batch := self._take()):
                    self._launch(batch)
                if self._flying:
                    self._land()

    def _take(self) -> list[_Place[Request, Answer]]:
        with self._came:
            while self._waiting and not self._flying and self._size() < self.limit:
                left = self._waiting[0].came_at + self._linger - self._clock()
                if left <= 0:
                    break
                self._came.wait(left)
            batch: list[_Place[Request, Answer]] = []
            total = 0
            while self._waiting and (not batch or total + self._waiting[0].size <= self.limit):
                batch.append(self._waiting.popleft())
                total += batch[-1].size
            return batch

    def _size(self) -> int:
        return sum(place.size for place in self._waiting)

    def _launch(self, batch: list[_Place[Request, Answer]]) -> None:
        try:
            self._flying.append((batch, self._start([place.request for place in batch])))
        except BaseException as error:
            self._fail(batch, error)

    def _land(self) -> None:
        batch, flight = self._flying.popleft()
        try:
            for place, answer in zip(batch, self._finish(flight), strict=True):
                place.answer = answer
        except BaseException as error:
            self._fail(batch, error)
        else:
            for place in batch:
                place.done = True

    def _fail(self, batch: Sequence[_Place[Request, Answer]], error: BaseException) -> None:
        if not isinstance(error, Exception):
            # Ctrl-C and the like are meant for the thread that they reached; whoever else it served waits for the next.
            with self._came:
                self._waiting.extendleft(reversed(batch))
            raise error
        for place in batch:
            place.error, place.done = error, True
