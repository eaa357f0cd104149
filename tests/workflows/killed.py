"""A process that is killed at its n-th step, for what must go on from wherever it came to."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any


def die_at(step: int, places: Iterable[tuple[Any, str]]) -> Callable[[], int]:
    """Arrange that this process is killed before the n-th call of any of these; it is for a process of its own.

    Parameters
    ----------
    step
        At which call it is killed, from 1.
    places
        The functions that count as a step: what holds each, and its name there.

    Returns
    -------
    Callable
        It says how many steps there were, for a process that has fewer.
    """
    taken = 0

    def counted(does: Callable[..., Any]) -> Callable[..., Any]:
        def kill(*arguments: Any, **more: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return does(*arguments, **more)

        return kill

    for owner, name in places:
        setattr(owner, name, counted(getattr(owner, name)))
    return lambda: taken
