"""What a stretch of pictures is: how long, which moments, and which of them one rater has asked not to see again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tracker.access import Unit
from tracker.domain.consent import Permit
from tracker.store import rating_items, rating_votes
from tracker.store.rating_items import Rateable
from tracker.store.rating_tasks import TaskRow
from tracker.workflows.rating.queue import CROP

SERIES = "series"
"""The kind of an item that is a stretch."""

LENGTH = timedelta(seconds=60)
"""How long a stretch is at most."""

GAP = timedelta(seconds=15)
"""A longer gap between two pictures begins another stretch."""

LEAST, MOST = 3, 120
"""How many pictures a stretch has."""


def frames_of(unit: Unit, permit: Permit, task: TaskRow) -> list[Rateable]:
    """The pictures of a stretch that its rater sees: not those before which they were uncomfortable."""
    spared = rating_votes.uncomfortable(unit.connection, task.subject, task.member, CROP)
    return [frame for frame in _all_of(unit, permit, task.observation) if frame.observation not in spared]


def split(items: Sequence[Rateable]) -> list[list[Rateable]]:
    """Cut moments in order of time into stretches, and leave out those that are too short."""
    found: list[list[Rateable]] = []
    for item in items:
        last = found[-1] if found else None
        if last is None or item.at - last[-1].at > GAP or item.at - last[0].at > LENGTH or len(last) == MOST:
            found.append([item])
        else:
            last.append(item)
    return [frames for frames in found if len(frames) >= LEAST]


def suggested(unit: Unit, permit: Permit, task: TaskRow) -> bool:
    """Whether a rater may have seen the network's estimate of an item before what they say of it now.

    It stands below a clip once they said something about it, for each of its pictures; and below one picture after
    their first word on it, where the study reveals it. Both bias what is said later, so the server notes them itself.
    """
    connection = unit.connection
    before = rating_votes.standing(connection, task.id) is not None
    if before and (task.kind == SERIES or unit.study.rating.reveal):
        return True
    begun = rating_votes.voted_on(connection, task.subject, task.member, SERIES)
    return any(
        frame.observation == task.observation for first in begun for frame in _all_of(unit, permit, first)
    )


def _all_of(unit: Unit, permit: Permit, first: int) -> list[Rateable]:
    return rating_items.frames_from(unit.connection, permit, unit.person.subject, first, LENGTH, MOST)
