"""Whether a clip that a rater has before them may still be seen: every one of its pictures, not only the first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.members import Member
from tracker.domain.rating import LEASE
from tracker.store import rating_items
from tracker.store.rating_tasks import TaskRow
from tracker.store.stretches import CLIP_LENGTH
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors
from tracker.workflows.rating.errors import ItemClosedError

_ALL = 10_000


def may_go_on(access: Access, member: Member, item: str, pictures: Collection[int], now: datetime) -> bool:
    """Whether a rater may go on watching a clip of theirs.

    Parameters
    ----------
    access, member, item, now
        The gate, who watches which clip, and the instant (UTC).
    pictures
        The observations whose pictures the page holds.
    """
    try:
        task = doors.task_of(access, member, item)
        with doors.reading(access, task.subject, now) as unit:
            permit = doors.demand_open(unit, task.observation)
            if _showed_video(unit, task) and doors.video_permit(unit) is None:
                return False  # the cut-out faces may be shown still, but the page holds frames of video
            open_ = rating_items.frames_from(
                unit.connection, permit, task.subject, task.observation, CLIP_LENGTH, _ALL
            )
    except (LookupError, ItemClosedError, StudyClosedError):
        return False
    return set(pictures) <= {frame.observation for frame in open_}


def _showed_video(unit: Unit, task: TaskRow) -> bool:
    """Whether raters were let see video at the instant at which a clip was opened last."""
    opened = task.leased_until - LEASE
    known = tuple(event for event in unit.events if event.recorded_at <= opened)
    return doors.video_permit(replace(unit, now=opened, events=known)) is not None
