"""Stretches of pictures: rated as a whole, or followed by a continuous trace; each picture by its own instant.

A stretch is named by a task of its rater's, its frames by their observations, and their times are UTC instants: nothing
is counted in frames.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import ConsentMissingError, Permit
from tracker.domain.members import Member
from tracker.domain.people import UnknownParticipantError
from tracker.domain.rating import LEASE, Because, RatingError, Trace, Verdict
from tracker.store import rating_decisions, rating_items, rating_tasks, rating_votes
from tracker.store.rating_items import Own, Rateable
from tracker.store.rating_tasks import TaskRow
from tracker.study import StudyClosedError
from tracker.workflows.rating import choosing, doors, looking, stretching
from tracker.workflows.rating.errors import DecidedError, ItemClosedError, UnknownItemError
from tracker.workflows.rating.queue import CROP
from tracker.workflows.rating.stretching import LEAST, SERIES, split
from tracker.workflows.rating.voting import Decided

_NEW = Own(done=False, put_off=False, leased=False)
_GONE = (ConsentMissingError, UnknownParticipantError, StudyClosedError, ItemClosedError)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch that waits for a rater.

    Attributes
    ----------
    item
        As of `tracker.workflows.rating.Item`.
    because
        Why it is offered.
    pictures, seconds
        How long it is.
    """

    item: str
    because: Because
    pictures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stretch.

    Attributes
    ----------
    observation, at
        Which moment it is, and its instant (UTC).
    estimate
        What the network says of it; None until the rater has said something themselves.
    """

    observation: int
    at: datetime
    estimate: Distribution | None


@dataclass(frozen=True, slots=True)
class Series:
    """A stretch that was opened.

    Attributes
    ----------
    item, because
        As of `Stretch`.
    frames
        Its pictures in order of time, opened one by one with `open_frame`.
    decided
        What this rater says of the whole now, or None.
    lag_s
        The lag that the study proposes for traces.
    """

    item: str
    because: Because
    frames: tuple[Frame, ...]
    decided: Decided | None
    lag_s: float


def stretches(access: Access, member: Member, now: datetime, most: int = 10) -> list[Stretch]:
    """The stretches that a rater could rate now, the newest of each person first.

    Raises
    ------
    NoRaterError
        When they have no part in the study, or have not agreed to be measured.
    """
    with access.database.read() as connection:
        doors.demand_rater(connection, member, doors.study_in_force(access))
    found: list[Stretch] = []
    for person in sorted(access.everyone(), key=lambda person: person.id):
        if len(found) >= most:
            break
        try:
            with access.read(person.id, now) as unit:
                waiting = _waiting(unit, doors.permit_of(unit), member)
            for frames in waiting[: most - len(found)]:
                found.append(_offered(access, person.id, person.subject, frames, member, now))
        except _GONE:
            continue
    return found


def open_series(access: Access, member: Member, item: str, now: datetime) -> Series:
    """Open a stretch of a rater's: that they look is noted first, and from then on its pictures open for a while.

    Raises
    ------
    UnknownItemError
        When it is no stretch of theirs.
    ItemClosedError
        When its participant does not show it now.
    """
    task = _series_of(access, member, item)
    with doors.reading(access, task.subject, now) as unit:
        doors.demand_rater(unit.connection, member, unit.study)
        doors.demand_open(unit, task.observation)
        if rating_decisions.decided_by(unit.connection, member.id, task.subject, task.observation):
            raise DecidedError
        video = doors.video_permit(unit)
        filmed = video is not None and bool(stretching.frames_of(unit, video, task))
    what = (
        "a stretch of your video, to rate it" if filmed else "a stretch of pictures of your face, to rate it"
    )
    looking.noted(access, task.subject, member, now, what)
    with doors.writing(access, task.subject, now) as unit:
        doors.demand_locked(unit.connection, member, unit.study)
        permit = doors.demand_open(unit, task.observation)
        rating_tasks.extend(unit.connection, task.id, now + LEASE)
        said = rating_votes.standing(unit.connection, task.id)
        voted = said is not None and said.verdict is not Verdict.UNDONE
        frames = stretching.frames_of(unit, permit, task)
        return Series(
            task.id,
            task.because,
            tuple(Frame(f.observation, f.at, f.machine if voted else None) for f in frames),
            Decided(task.id, said.recorded_at, said.verdict, said.distribution, series=True)
            if said is not None and voted
            else None,
            unit.study.rating.lag_s,
        )


def open_frame(access: Access, member: Member, item: str, observation: int, now: datetime) -> bytes:
    """Open one picture of a stretch that was opened, for one response with `no-store`.

    A JPEG file of the video, where its participant shows that and it was kept; else the cut-out face, a PNG file.

    Raises
    ------
    UnknownItemError
        When it is no picture of such a stretch, or it was opened too long ago: open it again.
    ItemClosedError
        When its participant does not show it now.
    """
    task = _series_of(access, member, item)
    if task.leased_until <= now or not _was_opened(task):
        raise UnknownItemError
    with doors.reading(access, task.subject, now) as unit:
        doors.demand_rater(unit.connection, member, unit.study)
        permit = doors.demand_open(unit, observation)
        if observation not in {frame.observation for frame in stretching.frames_of(unit, permit, task)}:
            raise UnknownItemError
        return looking.plain_frame(access, unit, permit, observation)


def keep_trace(access: Access, member: Member, item: str, trace: Trace, now: datetime) -> int:
    """Keep a trace as it was drawn, with its lag beside; the same decision sent again is kept once.

    Raises
    ------
    RatingError
        When a sample names a moment that is none of the stretch's.
    UnknownItemError, ItemClosedError, NoRaterError
        As `tracker.workflows.rating.vote`.
    """
    task = _series_of(access, member, item)
    with doors.writing(access, task.subject, now) as unit:
        doors.demand_locked(unit.connection, member, unit.study)
        permit = doors.demand_open(unit, task.observation)
        if not _was_opened(task):
            raise UnknownItemError
        doors.demand_in_time(unit.connection, member, task, now)
        shown = {frame.observation for frame in stretching.frames_of(unit, permit, task)}
        strange = {s.observation for s in trace.samples if s.observation is not None} - shown
        if strange:
            raise RatingError(f"the stretch has no moment {min(strange)}; open it again")
        return rating_votes.keep_trace(unit.connection, permit, task, trace, now)


def _series_of(access: Access, member: Member, item: str) -> TaskRow:
    task = doors.task_of(access, member, item)
    if task.kind != SERIES:
        raise UnknownItemError
    return task


def _was_opened(task: TaskRow) -> bool:
    """Whether its rater ever opened a stretch; it is offered with a lease that has ended already."""
    return task.leased_until > task.offered_at


def _waiting(unit: Unit, permit: Permit, member: Member) -> list[list[Rateable]]:
    """The stretches of a person that a rater has not rated and that want one, the newest first."""
    items = rating_items.rateable(unit.connection, permit, unit.person.subject)
    own = rating_items.own(unit.connection, unit.person.subject, SERIES, member.id, unit.now)
    spared = rating_votes.uncomfortable(unit.connection, unit.person.subject, member.id, CROP)
    found = [
        frames
        for frames in split(items[::-1])
        if not own.get(frames[0].observation, _NEW).done
        and sum(frame.observation not in spared for frame in frames) >= LEAST
    ]
    first = [frames[0] for frames in found]
    open_ = choosing.wanting(unit, items, first, member.id, SERIES)
    return [frames for frames in reversed(found) if frames[0].observation in open_]


def _offered(
    access: Access, participant: str, subject: str, frames: Sequence[Rateable], member: Member, now: datetime
) -> Stretch:
    task = TaskRow(
        id=secrets.token_hex(16),
        subject=subject,
        observation=frames[0].observation,
        member=member.id,
        kind=SERIES,
        turn=0,
        because=Because.WAITED,
        random=False,
        gold=False,
        offered_at=now,
        leased_until=now,  # it is kept for nobody until it is opened
        put_off_at=None,
        done_at=None,
    )
    with access.write(participant, now) as unit:
        doors.demand_locked(unit.connection, member, unit.study)
        permit = doors.demand_open(unit, frames[0].observation)
        kept = rating_tasks.offer(unit.connection, permit, task, hold=False)
        spared = rating_votes.uncomfortable(unit.connection, subject, member.id, CROP)
    seen = [frame for frame in frames if frame.observation not in spared]
    return Stretch(kept.id, kept.because, len(seen), (seen[-1].at - seen[0].at).total_seconds())
