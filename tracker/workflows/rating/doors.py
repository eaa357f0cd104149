"""Who may come in: a rater who agreed to be measured, and an item whose participant shows it now.

Every look and every vote passes here, in its own transaction: consent is asked for in the moment in which something
is shown or written, so that a withdrawal closes an item however far it has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from tracker.access import Access, Unit
from tracker.domain.consent import ConsentMissingError, Permit, Scope, Use
from tracker.domain.members import Member, Role
from tracker.domain.people import UnknownParticipantError
from tracker.domain.raters import NEEDED, RaterScope, rater_notice
from tracker.domain.rating import GRACE, REOPENED
from tracker.store import members, raters, rating_items, rating_tasks, rating_votes, studies
from tracker.store.database import Connection
from tracker.store.rating_tasks import TaskRow
from tracker.study import Study
from tracker.workflows.rating.errors import (
    ItemClosedError,
    NoRaterError,
    NoticeFirstError,
    UnknownItemError,
)

_people: WeakKeyDictionary[Access, dict[str, str]] = WeakKeyDictionary()
"""Whose subjects they are, as long as the process runs: at rest that link is sealed, and opening all takes time."""


def study_in_force(access: Access) -> Study:
    """The study that governs."""
    with access.database.read() as connection:
        return studies.in_force(connection)


def agreed(connection: Connection, member: Member, study: Study) -> frozenset[RaterScope]:
    """What a rater allows about themselves under the notice that stands; nothing under another text."""
    stands = rater_notice(study.help_contact).sha256
    said = {c.scope: c.state == "given" for c in raters.consents(connection, member.id) if c.notice == stands}
    return frozenset(scope for scope in RaterScope if said.get(scope.value))


def demand_role(connection: Connection, member: Member, study: Study, *roles: Role) -> None:
    """Raise `NoRaterError` unless somebody has one of some roles in a study, as this transaction sees it."""
    if not members.roles(connection, member.id).get(study.id, frozenset()) & set(roles):
        named = " or ".join(role.value for role in roles)
        raise NoRaterError(f"{member.name} is no {named} of this study; an operator can make them one")


def demand_locked(connection: Connection, member: Member, study: Study) -> frozenset[RaterScope]:
    """`demand_rater`, before a row of theirs is written: what ends their part waits for it, or is seen by it.

    Their rows are locked first, so that no row is written about who was erased or removed a moment ago.
    """
    members.lock(connection, member.id)
    return demand_rater(connection, member, study)


def demand_rater(connection: Connection, member: Member, study: Study) -> frozenset[RaterScope]:
    """What a rater allows about themselves; raise where they have no part in the study, or have not agreed yet."""
    demand_role(connection, member, study, Role.RATER)
    found = agreed(connection, member, study)
    if not found >= NEEDED:
        raise NoticeFirstError
    return found


def task_of(access: Access, member: Member, item: str) -> TaskRow:
    """A rater's own task; raise `UnknownItemError` for what is none of theirs."""
    with access.database.read() as connection:
        task = rating_tasks.get(connection, item, member.id)
    if task is None:
        raise UnknownItemError
    return task


def at_hand(connection: Connection, member: Member, task: TaskRow, now: datetime) -> bool:
    """Whether a rater may look at an item of theirs now: it is kept for them, or one of their last decisions."""
    kept = task.done_at is None and task.put_off_at is None and task.leased_until > now
    return kept or among_last(connection, member, task)


def among_last(connection: Connection, member: Member, task: TaskRow) -> bool:
    """Whether an item is one of a rater's last decisions, which open again."""
    return task.id in {vote.task for vote in rating_votes.newest_of(connection, member.id, REOPENED)}


def demand_in_time(connection: Connection, member: Member, task: TaskRow, now: datetime) -> None:
    """Raise `UnknownItemError` where an answer comes too late: `GRACE` after it was kept for its rater.

    The page holds an answer while the connection or the session is gone, and what it says was seen in time. One that
    was answered takes another answer as long as it can be seen again: among the last ten, or while a stretch is open.
    """
    until = task.leased_until + (GRACE if task.done_at is None else timedelta())
    in_time = now < until and (task.done_at is None or task.kind != "crop")
    if not in_time and not among_last(connection, member, task):
        raise UnknownItemError


def participant_of(access: Access, subject: str) -> str:
    """Whose subject it is; raise `ItemClosedError` where they are gone."""
    known = _people.setdefault(access, {})
    if subject not in known:
        known.update({person.subject: person.id for person in access.everyone()})
    if subject not in known:
        raise ItemClosedError
    return known[subject]


@contextmanager
def writing(access: Access, subject: str, now: datetime) -> Iterator[Unit]:
    """Open a writing unit on whoever an item is about; raise `ItemClosedError` where they are gone or show nothing."""
    try:
        with access.write(participant_of(access, subject), now) as unit:
            yield unit
    except (ConsentMissingError, UnknownParticipantError):
        raise ItemClosedError from None


@contextmanager
def reading(access: Access, subject: str, now: datetime) -> Iterator[Unit]:
    """The same for reading."""
    try:
        with access.read(participant_of(access, subject), now) as unit:
            yield unit
    except (ConsentMissingError, UnknownParticipantError):
        raise ItemClosedError from None


def permit_of(unit: Unit) -> Permit:
    """A permit to show a person's pictures to raters, as far back as the study keeps pictures.

    By the cut-out face where they allow that; else by the frames of their video, where they allow those.
    """
    unit.study.demand_open("nothing more is rated")
    if unit.allowed(Use.RATE_CROPS) is None and (video := video_permit(unit)) is not None:
        return video
    return unit.keeping(unit.permit(Use.RATE_CROPS), Scope.FACE_CROPS)


def video_permit(unit: Unit) -> Permit | None:
    """A permit to show frames of a person's video to raters, as far back as the study keeps them; None without one."""
    permit = unit.allowed(Use.RATE_VIDEO)
    return None if permit is None else unit.keeping(permit, Scope.RAW_VIDEO)


def demand_open(unit: Unit, observation: int) -> Permit:
    """The permit, when this very moment may be seen now; raise `ItemClosedError` otherwise."""
    permit = permit_of(unit)
    if not rating_items.may_be_seen(unit.connection, permit, unit.person.subject, observation):
        raise ItemClosedError
    return permit
