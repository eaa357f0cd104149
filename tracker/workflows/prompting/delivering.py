"""Send what is due for everybody's devices, several people at a time and never for longer than a bounded while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tracker.access import Access
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store import pushing
from tracker.workflows.prompting.pushing import Post, Pushed, push

AT_ONCE = 8
"""People whose devices are told at the same time."""

FOR_S = 40.0
"""Seconds after which nothing new is begun with: the rest is due in the next minute, and no question waits for it."""

_log = logging.getLogger(__name__)


def deliver(
    access: Access,
    people: Iterable[Person],
    now: datetime,
    post: Post,
    monotonic: Callable[[], float],
) -> Pushed:
    """Send what is due for the devices of some people.

    Parameters
    ----------
    access, people, now
        The gate, whose devices, and the instant (UTC).
    post
        Sends one message.
    monotonic
        A clock that only runs on, in seconds.
    """
    with access.database.read() as connection:
        waiting = pushing.waiting(connection, now)
    # Who has waited longest comes first: whoever's push service hangs keeps nobody waiting round after round.
    due = sorted(
        (person for person in people if person.subject in waiting), key=lambda one: waiting[one.subject]
    )
    if not due:
        return Pushed()
    ends = monotonic() + FOR_S

    def one(person: Person) -> Pushed:
        if monotonic() >= ends:
            return Pushed()
        try:
            return push(access, person, now, post, lambda: monotonic() < ends)
        except UnknownParticipantError:
            return Pushed()
        except Exception as error:
            # What it says may name somebody, so only its kind is logged.
            _log.error("devices of somebody could not be told: %s", type(error).__name__)
            return Pushed()

    with ThreadPoolExecutor(min(AT_ONCE, len(due))) as pool:
        return sum(pool.map(one, due), Pushed())
