"""What goes on after its request was answered: one thing at a time, in a thread that ends with the app."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_log = logging.getLogger(__name__)


class Background:
    """Runs tasks one after the other; what is lost when the process dies must be durable otherwise.

    Examples
    --------
    >>> background, done = Background(), []
    >>> background.soon(lambda: done.append("carried out"))
    >>> background.wait()
    >>> done
    ['carried out']
    >>> background.close()
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def soon(self, task: Callable[[], None]) -> None:
        """Leave a task to be done; whatever it raises is logged by its kind alone, and ends no other."""
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "after-requests")
            self._last = self._thread.submit(_done, task)

    def wait(self) -> None:
        """Wait until everything that was left so far is done."""
        with self._lock:
            last = self._last
        if last is not None:
            last.result()

    def close(self) -> None:
        """Do what was left, and end."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()


def _done(task: Callable[[], None]) -> None:
    try:
        task()
    except Exception as error:  # whatever it was, those behind it go on
        # Its words may name somebody: only what kind it was is told.
        _log.warning("what was left for later ended with %s", type(error).__name__)
