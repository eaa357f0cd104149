"""Decide where raters disagree: an act of its own, by a researcher who did not rate the item, beside the votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import ConsentMissingError, Permit
from tracker.domain.members import Member, Role
from tracker.domain.people import UnknownParticipantError
from tracker.domain.rating import Ballot, RatingError, Verdict
from tracker.store import members, rating_decisions, rating_items, rating_tasks, rating_votes, timeline
from tracker.store.rating_tasks import TaskRow
from tracker.store.rating_votes import VoteRow
from tracker.study import StudyClosedError
from tracker.workflows.rating import doors, looking
from tracker.workflows.rating.errors import ItemClosedError, OwnDecisionError, UnknownItemError
from tracker.workflows.rating.queue import CROP


@dataclass(frozen=True, slots=True)
class Disputed:
    """An item on which raters do not agree.

    Attributes
    ----------
    item
        How it is named here; it opens nothing for who is no researcher.
    votes
        How many stand.
    """

    item: str
    votes: int


@dataclass(frozen=True, slots=True)
class SeenVote:
    """A vote as the one who decides sees it: by whom is not told, only that they are different people."""

    who: str
    verdict: Verdict
    distribution: Distribution | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item that was opened for a decision.

    Attributes
    ----------
    votes
        What raters said, the first first.
    estimate
        What the network says, where the study reveals it; else None.
    decided
        What stands decided: verdict and distribution, or None.
    """

    item: str
    votes: tuple[SeenVote, ...]
    estimate: Distribution | None
    decided: tuple[Verdict, Distribution | None] | None


def to_adjudicate(access: Access, member: Member, now: datetime, most: int = 50) -> list[Disputed]:
    """The items on which raters disagree and nobody has decided, and that this researcher did not rate.

    Raises
    ------
    NoRaterError
        When they are no researcher of this study.
    """
    with access.database.read() as connection:
        doors.demand_role(connection, member, doors.study_in_force(access), Role.RESEARCHER)
    found: list[Disputed] = []
    for person in sorted(access.everyone(), key=lambda person: person.id):
        try:
            with access.read(person.id, now) as unit:
                found += _disputed(unit, doors.permit_of(unit), member)
        except (ConsentMissingError, UnknownParticipantError, StudyClosedError):
            continue
    return found[:most]


def open_dispute(access: Access, member: Member, item: str, now: datetime) -> Dispute:
    """What raters said of an item, side by side.

    Raises
    ------
    UnknownItemError
        When there is no such item, or raters do not disagree about it and nobody decided.
    OwnDecisionError
        When they rated it themselves, or it was given to them to rate.
    ItemClosedError
        When its participant does not show it now.
    """
    task = _task(access, item)
    with doors.reading(access, task.subject, now) as unit:
        _demand_judge(unit, member, task)
        doors.demand_open(unit, task.observation)
        votes = _votes_on(unit, task)
        stands = rating_decisions.adjudicated(unit.connection, task.subject).get(task.observation)
        reading = timeline.reading_of(unit.connection, task.observation)
        if reading is None:
            raise ItemClosedError
        return Dispute(
            item,
            tuple(SeenVote(_letter(i), v.verdict, v.distribution) for i, v in enumerate(votes)),
            reading.machine if unit.study.rating.reveal else None,
            None if stands is None else (stands.verdict, stands.distribution),
        )


def open_disputed_crop(access: Access, member: Member, item: str, now: datetime) -> bytes:
    """Open the picture of an item to decide about it: a PNG file, or a JPEG of video, for one response.

    Raises
    ------
    UnknownItemError, OwnDecisionError, ItemClosedError
        As `open_dispute`.
    """
    task = _task(access, item)
    with doors.reading(access, task.subject, now) as unit:
        _demand_judge(unit, member, task)
        seen = looking.seen_of(doors.demand_open(unit, task.observation))
    what = f"a picture of your {seen}, to decide between raters"
    looking.noted(access, task.subject, member, now, what, Role.RESEARCHER)
    with doors.reading(access, task.subject, now) as unit:
        permit = doors.demand_open(unit, task.observation)
        return looking.plain(access, unit, permit, task.observation)


def dispute_open(access: Access, member: Member, item: str, now: datetime) -> bool:
    """Whether an item may still be seen by this researcher: the page asks while it is on the screen.

    Raises
    ------
    UnknownItemError, OwnDecisionError, NoRaterError
        As `open_dispute`.
    """
    task = _task(access, item)
    try:
        with doors.reading(access, task.subject, now) as unit:
            _demand_judge(unit, member, task)
            doors.demand_open(unit, task.observation)
    except ItemClosedError:
        return False
    return True


def adjudicate(access: Access, member: Member, item: str, ballot: Ballot, now: datetime) -> int:
    """Decide about an item: a row of its own beside the votes, which stay; it supersedes an earlier decision.

    Parameters
    ----------
    ballot
        The decision; of its times nothing is kept. The same key sent again changes nothing.

    Raises
    ------
    UnknownItemError, OwnDecisionError, ItemClosedError, NoRaterError
        As `open_dispute`.
    """
    if not ballot.verdict.counts:
        raise RatingError(
            "a decision says what the face looks like, that nobody can tell, or that it is no face"
        )
    task = _task(access, item)
    with doors.writing(access, task.subject, now) as unit:
        members.lock(unit.connection, member.id)
        _demand_judge(unit, member, task)
        permit = doors.demand_open(unit, task.observation)
        return rating_decisions.adjudicate(
            unit.connection,
            permit,
            task.subject,
            task.observation,
            member.id,
            ballot.verdict,
            ballot.distribution,
            ballot.key,
            now,
        )


def _disputed(unit: Unit, permit: Permit, member: Member) -> list[Disputed]:
    shown = {r.observation: r for r in rating_items.spoken_of(unit.connection, permit, unit.person.subject)}
    decided = rating_decisions.adjudicated(unit.connection, unit.person.subject)
    votes: dict[int, list[VoteRow]] = {}
    for v in rating_votes.of_subject(unit.connection, unit.person.subject):
        if v.kind == CROP and v.verdict.counts and v.observation in shown and v.observation not in decided:
            votes.setdefault(v.observation, []).append(v)
    return [
        Disputed(said[0].task, len(said))
        for item, said in sorted(votes.items())
        if _differ(said) and rating_tasks.is_others(unit.connection, unit.person.subject, item, member.id)
    ]


def _demand_judge(unit: Unit, member: Member, task: TaskRow) -> None:
    doors.demand_role(unit.connection, member, unit.study, Role.RESEARCHER)
    if not rating_tasks.is_others(unit.connection, task.subject, task.observation, member.id):
        raise OwnDecisionError
    # A researcher sees a face because raters do not agree about it, and for nothing else.
    decided = rating_decisions.adjudicated(unit.connection, task.subject)
    if not _differ(_votes_on(unit, task)) and task.observation not in decided:
        raise UnknownItemError


def _votes_on(unit: Unit, task: TaskRow) -> list[VoteRow]:
    return [
        v
        for v in rating_votes.of_subject(unit.connection, task.subject)
        if v.observation == task.observation and v.kind == CROP and v.verdict.counts
    ]


def _differ(said: Sequence[VoteRow]) -> bool:
    return len({_answer(v) for v in said}) > 1


def _task(access: Access, item: str) -> TaskRow:
    with access.database.read() as connection:
        task = rating_tasks.any_of(connection, item)
    if task is None or task.kind != CROP:
        raise UnknownItemError
    return task


def _answer(row: VoteRow) -> str:
    return row.verdict.value if row.distribution is None else row.distribution.top.value


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else str(i + 1)
