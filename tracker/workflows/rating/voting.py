"""Votes: appended, each once, superseded by a later word, and never written where the participant shows nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tracker.access import Access
from tracker.domain.affect import Distribution
from tracker.domain.members import Member
from tracker.domain.raters import RaterScope
from tracker.domain.rating import LEASE, REOPENED, Ballot, Because, Verdict, demand_key
from tracker.store import rating_decisions, rating_tasks, rating_votes, timeline
from tracker.store.database import Connection
from tracker.store.rating_tasks import TaskRow
from tracker.store.rating_votes import VoteRow
from tracker.workflows.rating import doors, stretching
from tracker.workflows.rating.errors import DecidedError, NothingToUndoError, UnknownItemError
from tracker.workflows.rating.queue import CROP, Item
from tracker.workflows.rating.stretching import SERIES


@dataclass(frozen=True, slots=True)
class Voted:
    """What a vote did.

    Attributes
    ----------
    vote
        Its number.
    again
        Whether this very decision was stored before: it was sent twice.
    estimate
        What the network says of it, where the study reveals it after one's own word.
    """

    vote: int
    again: bool = False
    estimate: Distribution | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that a rater can open again.

    Attributes
    ----------
    item
        Of which item.
    at
        When it was made (UTC).
    verdict, distribution
        What was said.
    series
        Whether of a stretch, which `tracker.workflows.rating.open_series` opens again.
    """

    item: str
    at: datetime
    verdict: Verdict
    distribution: Distribution | None
    series: bool = False


def vote(access: Access, member: Member, item: str, ballot: Ballot, now: datetime) -> Voted:
    """Store a rater's answer to an item of theirs; what they said of it before is superseded.

    Parameters
    ----------
    ballot
        The answer. Its key makes it unique: the same decision sent again changes nothing.

    Raises
    ------
    UnknownItemError
        When it is no item of theirs, they were never shown it, or the answer comes `GRACE` too late.
    DecidedError
        When they decided between raters about it.
    ItemClosedError
        When its participant does not show it now; then nothing is stored.
    NoRaterError
        When they are no rater of this study any more, or have not agreed to be measured.
    """
    task = doors.task_of(access, member, item)
    with doors.writing(access, task.subject, now) as unit:
        connection = unit.connection
        # One rater's decisions come one after the other, whatever was sent at once.
        allows = doors.demand_locked(connection, member, unit.study)
        permit = doors.demand_open(unit, task.observation)
        known = rating_votes.by_key(connection, member.id, ballot.key)
        estimate = _revealed(unit.study.rating.reveal, timeline.reading_of(connection, task.observation))
        if known is not None:
            return Voted(known.id, again=True, estimate=estimate if known.task == task.id else None)
        task = _fresh(connection, member, item)
        doors.demand_in_time(connection, member, task, now)
        if task.kind == SERIES and task.leased_until <= task.offered_at:
            raise UnknownItemError  # a stretch that was never opened: nobody saw what they would say this of
        if rating_decisions.decided_by(connection, member.id, task.subject, task.observation):
            raise DecidedError
        if RaterScope.SPEED not in allows:
            # The instant at which it was shown would tell how long they took, as well as the time itself.
            ballot = replace(ballot, response_ms=None, visible_ms=None, shown_at=now)
        if stretching.suggested(unit, permit, task):
            ballot = replace(ballot, suggestion_shown=True)
        before = rating_votes.standing(connection, task.id)
        number = rating_votes.add(
            connection, permit, task, ballot, before.id if before is not None else None, now
        )
        rating_tasks.finish(connection, task.id, now)
        return Voted(number, estimate=estimate)


def undo(access: Access, member: Member, item: str, key: str, now: datetime) -> Item:
    """Take an answer back: a row that supersedes it; the item is open again, and is given back.

    Parameters
    ----------
    key
        Of this decision, as of a `Ballot`: the same one sent again changes nothing.

    Raises
    ------
    NothingToUndoError
        When no answer of theirs stands there.
    UnknownItemError
        When it is no item of theirs, or its answer is none of their last ten.
    ItemClosedError, NoRaterError
        As `vote`.
    """
    demand_key(key)
    task = doors.task_of(access, member, item)
    with doors.writing(access, task.subject, now) as unit:
        connection = unit.connection
        allows = doors.demand_locked(connection, member, unit.study)
        permit = doors.demand_open(unit, task.observation)
        task = _fresh(connection, member, item)
        if rating_votes.by_key(connection, member.id, key) is None:
            before = rating_votes.standing(connection, task.id)
            if before is None or before.verdict is Verdict.UNDONE:
                raise NothingToUndoError
            if not doors.among_last(connection, member, task):
                raise UnknownItemError
            timed = RaterScope.SPEED in allows
            rating_votes.take_back(connection, permit, task, before, key, now, timed=timed)
            rating_tasks.finish(connection, task.id, None)
            # A stretch is kept for its rater by opening it alone, which is noted: its pictures open with the lease.
            if task.kind == CROP:
                rating_tasks.extend(connection, task.id, now + LEASE)
        until = now + LEASE if task.kind == CROP else task.leased_until
        return Item(task.id, Because.REOPENED, until)


def last_ten(access: Access, member: Member, now: datetime) -> list[Decided]:
    """A rater's newest decisions, the last first; each can be opened again with `reopen`."""
    with access.database.read() as connection:
        doors.demand_rater(connection, member, doors.study_in_force(access))
        found = rating_votes.newest_of(connection, member.id, REOPENED)
    return [
        Decided(row.task, row.recorded_at, row.verdict, row.distribution, row.kind == SERIES) for row in found
    ]


def reopen(access: Access, member: Member, item: str, now: datetime) -> tuple[Item, Decided]:
    """Open one of the last ten decisions again, with what was said; it stands until another takes its place.

    Raises
    ------
    NothingToUndoError
        When it is none of the last ten pictures.
    UnknownItemError, ItemClosedError, NoRaterError
        As `vote`.
    """
    decided = {found.item: found for found in last_ten(access, member, now)}
    task = doors.task_of(access, member, item)
    if item not in decided or decided[item].series:
        raise NothingToUndoError
    with doors.reading(access, task.subject, now) as unit:
        doors.demand_open(unit, task.observation)
    return Item(task.id, Because.REOPENED, now + LEASE), decided[item]


def skip(access: Access, member: Member, item: str, now: datetime) -> None:
    """Put an item at the end of one's own queue; nothing is said about it, and others may have it.

    Raises
    ------
    UnknownItemError, ItemClosedError, NoRaterError
        As `vote`.
    """
    task = doors.task_of(access, member, item)
    with doors.writing(access, task.subject, now) as unit:
        doors.demand_locked(unit.connection, member, unit.study)
        doors.demand_open(unit, task.observation)
        rating_tasks.put_off(unit.connection, task.id, now)


def standing_vote(access: Access, member: Member, item: str) -> VoteRow | None:
    """What a rater says of an item of theirs now; None where they said nothing, or took it back."""
    task = doors.task_of(access, member, item)
    with access.database.read() as connection:
        found = rating_votes.standing(connection, task.id)
    return None if found is None or found.verdict is Verdict.UNDONE else found


def _fresh(connection: Connection, member: Member, item: str) -> TaskRow:
    """A rater's task as it is under their lock; it may have gone with them since it was looked up."""
    task = rating_tasks.get(connection, item, member.id)
    if task is None:
        raise UnknownItemError
    return task


def _revealed(reveal: bool, reading: timeline.Reading | None) -> Distribution | None:
    return reading.machine if reveal and reading is not None else None
