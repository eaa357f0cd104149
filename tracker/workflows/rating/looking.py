"""Open a picture for a rater: into one response, after the look was noted, and only while it may be seen."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import RATE, Permit, Scope, Use
from tracker.domain.members import Member, Role
from tracker.domain.people import UnknownParticipantError
from tracker.store import crops, frames, rating_items
from tracker.workflows.rating import doors
from tracker.workflows.rating.errors import ItemClosedError, UnknownItemError
from tracker.workflows.rating.queue import CROP


def open_crop(access: Access, member: Member, item: str, now: datetime) -> bytes:
    """Open the picture of an item of a rater's: a PNG file, or a JPEG of video, for one response with `no-store`.

    That a rater looks is committed first, where the participant sees it.

    Raises
    ------
    UnknownItemError
        When it is no picture of theirs, or neither kept for them nor among their last decisions any more.
    ItemClosedError
        When its participant does not show it now; then nothing is opened.
    NoRaterError
        When they are no rater of this study any more, or have not agreed to be measured.
    """
    task = doors.task_of(access, member, item)
    if task.kind != CROP:
        raise UnknownItemError
    with doors.reading(access, task.subject, now) as unit:
        doors.demand_rater(unit.connection, member, unit.study)
        # What is refused shows nothing, so nobody looked.
        seen = seen_of(doors.demand_open(unit, task.observation))
        if not doors.at_hand(unit.connection, member, task, now):
            raise UnknownItemError
    noted(access, task.subject, member, now, f"a picture of your {seen}, to rate it")
    with doors.reading(access, task.subject, now) as unit:
        permit = doors.demand_open(unit, task.observation)
        return plain(access, unit, permit, task.observation)


def noted(
    access: Access, subject: str, member: Member, now: datetime, what: str, role: Role = Role.RATER
) -> None:
    """Commit that somebody is about to look, in a role; raise `ItemClosedError` where the participant is gone."""
    try:
        access.record_look(doors.participant_of(access, subject), now, reader=called(member, role), what=what)
    except UnknownParticipantError:
        raise ItemClosedError from None


def seen_of(permit: Permit) -> str:
    """What raters see under a permit, as the participant reads it in the list of those who looked.

    Examples
    --------
    >>> from datetime import UTC
    >>> march = datetime(2026, 3, 1, tzinfo=UTC)
    >>> seen_of(Permit("p1", Use.RATE_VIDEO, march, march))
    'video'
    """
    return "video" if permit.use is Use.RATE_VIDEO else "face"


def called(member: Member, role: Role = Role.RATER) -> str:
    """How somebody stands in the list of those who looked: by role and number, for who they are is theirs to tell.

    Examples
    --------
    >>> from datetime import UTC
    >>> called(Member("5ef60123456789", "kim", datetime(2026, 3, 1, tzinfo=UTC)))
    'rater 5ef60123'
    """
    return f"{role.value} {member.id[:8]}"


def plain(access: Access, unit: Unit, permit: Permit, observation: int) -> bytes:
    """Open the kept picture of a moment, under the permit that `doors.demand_open` gave in the same unit."""
    permit.demand(*RATE)
    if permit.use is Use.RATE_VIDEO:
        return _frame(access, unit, observation)
    found = crops.of_observation(unit.connection, unit.person.subject, observation)
    if found is None:
        raise ItemClosedError
    crop, sealed = found
    return access.vault.open(unit.person.id, Scope.FACE_CROPS.value, sealed, crops.place(crop))


def plain_frame(access: Access, unit: Unit, permit: Permit, observation: int) -> bytes:
    """The same for a clip: the frame of the video where its participant shows that, else the cut-out face."""
    video = doors.video_permit(unit)
    filmed = video is not None and rating_items.may_be_seen(
        unit.connection, video, unit.person.subject, observation
    )
    return plain(access, unit, video if video is not None and filmed else permit, observation)


def _frame(access: Access, unit: Unit, observation: int) -> bytes:
    found = frames.of_observation(unit.connection, unit.person.subject, observation)
    if found is None:
        raise ItemClosedError
    frame, sealed = found
    return access.vault.open(unit.person.id, Scope.RAW_VIDEO.value, sealed, frames.place(frame))
