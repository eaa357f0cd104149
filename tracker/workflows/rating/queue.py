"""What a rater is given next, and why: only what its participant shows now, and kept for them for a while."""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import ConsentMissingError
from tracker.domain.members import Member
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.rating import LEASE, Because
from tracker.learning.queueing import Candidate, at_random, ordered
from tracker.store import rating_tasks
from tracker.store.rating_tasks import TaskRow
from tracker.study import Study, StudyClosedError
from tracker.workflows.rating import choosing, doors
from tracker.workflows.rating.choosing import Pool
from tracker.workflows.rating.errors import ItemClosedError

CROP = "crop"
"""The kind of an item that is one picture."""

_GONE = (ConsentMissingError, UnknownParticipantError, StudyClosedError, ItemClosedError)


@dataclass(frozen=True, slots=True)
class Item:
    """What a rater is given; nothing in it tells whose it is, or whether its answer is known already.

    Attributes
    ----------
    id
        Random, this rater's own: it opens nothing for anybody else.
    because
        Why it is shown now; `because.words` is the sentence.
    leased_until
        Until when it is kept for them.
    """

    id: str
    because: Because
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class _Choice:
    """An item that was chosen, before it is kept."""

    person: Person
    observation: int
    because: Because
    candidate: Candidate | None = None
    decile: float = math.inf
    random: bool = False
    gold: bool = False


def next_items(
    access: Access, member: Member, now: datetime, n: int = 3, *, chance: random.Random
) -> list[Item]:
    """What a rater is given next: what is kept for them already, then what teaches most.

    Items are drawn person by person, because one learner belongs to each: a person at random, then the item of theirs
    that comes first. Every so-manieth is one of those that were drawn beforehand, at random over everybody, and that
    come in no other way while there is anything else; now and then one has a known answer.
    What a rater put off comes after everything else.

    Parameters
    ----------
    access, member, now
        The gate, whom, and the instant (UTC).
    n
        How many at most: the one on the screen, and those to be fetched ahead.
    chance
        Where random numbers come from; a seeded one makes the order repeatable.

    Returns
    -------
    list of Item
        Empty when nothing is left for this rater now.

    Raises
    ------
    NoRaterError
        When they have no part in the study, or have not agreed to be measured (`NoticeFirstError`).
    """
    study = doors.study_in_force(access)
    with access.database.read() as connection:
        doors.demand_rater(connection, member, study)
        kept = rating_tasks.open_of(connection, member.id, CROP, now)
        turn = rating_tasks.turns(connection, member.id, CROP)
    given: list[Item] = []
    for task in kept:
        if len(given) < n and (item := _kept(access, member, task, now)) is not None:
            given.append(item)
    while len(given) < n:
        task_ = _next(access, member, study, now, turn + 1, chance)
        if task_ is None:
            break
        turn += 1
        given.append(Item(task_.id, task_.because, task_.leased_until))
    return given


def gone(access: Access, member: Member, items: Collection[str], now: datetime) -> frozenset[str]:
    """Which of some items of a rater may not be seen any more: whoever holds a picture of one lets it go."""
    closed = set()
    for item in items:
        try:
            task = doors.task_of(access, member, item)
            with doors.reading(access, task.subject, now) as unit:
                doors.demand_open(unit, task.observation)
        except (LookupError, ItemClosedError, StudyClosedError):
            closed.add(item)
    return frozenset(closed)


def _kept(access: Access, member: Member, task: TaskRow, now: datetime) -> Item | None:
    """An item that is kept for somebody, for as long again; None where it is closed."""
    try:
        with doors.writing(access, task.subject, now) as unit:
            doors.demand_locked(unit.connection, member, unit.study)
            doors.demand_open(unit, task.observation)
            rating_tasks.extend(unit.connection, task.id, now + LEASE)
    except (ItemClosedError, StudyClosedError):
        return None
    return Item(task.id, task.because, now + LEASE)


def _next(
    access: Access, member: Member, study: Study, now: datetime, turn: int, chance: random.Random
) -> TaskRow | None:
    """Choose one item and keep it; None where there is none left."""
    everyone = sorted(access.everyone(), key=lambda person: person.id)
    chance.shuffle(everyone)
    rules = study.rating
    ways = [_ordered, _random, _put_off]
    if at_random(turn, rules.random_every):
        ways = [_random, _ordered, _put_off]
    elif chance.random() < rules.gold_share:
        ways.insert(0, _gold)
    for way in ways:
        for choice in way(access, everyone, member, now, chance):
            if (task := _keep(access, choice, member, turn, now)) is not None:
                return task
    return None


def _keep(access: Access, choice: _Choice, member: Member, turn: int, now: datetime) -> TaskRow | None:
    """Keep an item for a rater, if it may still be seen and still wants one; None otherwise."""
    task = TaskRow(
        id=secrets.token_hex(16),
        subject=choice.person.subject,
        observation=choice.observation,
        member=member.id,
        kind=CROP,
        turn=turn,
        because=choice.because,
        random=choice.random,
        gold=choice.gold,
        offered_at=now,
        leased_until=now + LEASE,
        put_off_at=None,
        done_at=None,
    )
    try:
        with access.write(choice.person.id, now) as unit:
            doors.demand_locked(unit.connection, member, unit.study)
            permit = doors.demand_open(unit, choice.observation)
            # Somebody else may have been given it since it was chosen; who knows the answer is no matter of shares.
            if choice.candidate is not None and not choosing.still_wanted(
                unit, choice.candidate, choice.decile, member.id, CROP
            ):
                return None
            return rating_tasks.offer(unit.connection, permit, task)
    except _GONE:
        return None


def _pools(
    access: Access, everyone: list[Person], member: Member, now: datetime
) -> Iterator[tuple[Person, Pool]]:
    for person in everyone:
        try:
            with access.read(person.id, now) as unit:
                found = choosing.pool(unit, doors.permit_of(unit), member.id, CROP)
        except _GONE:
            continue
        if found.candidates or found.gold:
            yield person, found


def _ordered(
    access: Access, everyone: list[Person], member: Member, now: datetime, chance: random.Random
) -> Iterator[_Choice]:
    """What teaches most of one person after the other."""
    for person, pool in _pools(access, everyone, member, now):
        fresh = pool.ordered()
        for candidate in ordered(fresh, [chance.random() for _ in fresh]):
            yield _choice(person, pool, candidate)


def _random(
    access: Access, everyone: list[Person], member: Member, now: datetime, chance: random.Random
) -> Iterator[_Choice]:
    """One of the items of everybody that were drawn at random, each as likely as any other."""
    items = [
        (person, pool, candidate)
        for person, pool in _pools(access, everyone, member, now)
        for candidate in pool.candidates
        if candidate.item in pool.drawn and not candidate.skipped
    ]
    chance.shuffle(items)
    for person, pool, candidate in items:
        yield _choice(person, pool, candidate)


def _put_off(
    access: Access, everyone: list[Person], member: Member, now: datetime, chance: random.Random
) -> Iterator[_Choice]:
    """What was put off, when nothing else is left."""
    for person, pool in _pools(access, everyone, member, now):
        rest = [c for c in pool.candidates if c.skipped]
        for candidate in ordered(rest, [chance.random() for _ in rest]):
            yield _choice(person, pool, candidate)


def _gold(
    access: Access, everyone: list[Person], member: Member, now: datetime, chance: random.Random
) -> Iterator[_Choice]:
    """An item whose answer is known, which nothing tells from another."""
    for person, pool in _pools(access, everyone, member, now):
        for candidate in chance.sample(pool.gold, len(pool.gold)):
            yield _Choice(person, candidate.item, pool.because(candidate), gold=True)


def _choice(person: Person, pool: Pool, candidate: Candidate) -> _Choice:
    return _Choice(
        person,
        candidate.item,
        pool.because(candidate),
        candidate,
        pool.decile,
        random=candidate.item in pool.drawn,
    )
