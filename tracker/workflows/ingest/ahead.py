"""Work on the next things in a thread of its own while the last ones are used: a few ahead, in order, none lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Ahead(Iterator[Item], Generic[Item]):
    """Run an iterator in a thread, at most `room` items ahead of whoever takes them.

    An error of the iterator is raised where its item would have come, after all before it. A context manager: leaving
    it stops the thread after the item that it is at.

    Parameters
    ----------
    items
        What to run; nobody else may touch it meanwhile.
    room
        Items that are ready and not taken, at most.

    Examples
    --------
    >>> with Ahead(iter(range(5)), room=2) as numbers:
    ...     next(numbers), next(numbers), numbers.rest()[:1]
    (0, 1, [2])
    """

    def __init__(self, items: Iterator[Item], room: int) -> None:
        self._items, self._room = items, room
        self._ready: deque[Item] = deque()
        self._error: BaseException | None = None
        self._ended = self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()

    def __next__(self) -> Item:
        with self._changed:
            while not self._ready and not self._ended:
                self._changed.wait()
            if self._ready:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def rest(self) -> list[Item]:
        """Stop, and return what is ready and was not taken."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        left = list(self._ready)
        self._ready.clear()
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()

    def _work(self) -> None:
        try:
            for item in self._items:
                with self._changed:
                    while len(self._ready) >= self._room and not self._stopped:
                        self._changed.wait()
                    self._ready.append(item)
                    self._changed.notify_all()
                    if self._stopped:
                        break
        except BaseException as error:  # told to whoever takes, who would wait for ever otherwise
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
