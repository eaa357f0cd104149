"""Priors: what learners start from, fitted on the corrections of people who granted `pooled_learning`.

A prior is a pure function of its contributors' events, and its id is the digest of its content. It is fitted
without whoever leaves; until then it is retired, and no learner that started from it is asked. A contributor's own
learner starts from it too, so their own answers count a little twice, by one share in as many as contribute: fitting
one prior for each of them would cost as many fits as there are people.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.learning.kinds import kind_of, pooled
from tracker.learning.learner import SnapshotError
from tracker.learning.replay import LearningEvent
from tracker.learning.window import window
from tracker.personal.log import Covered, events_of, rows_of
from tracker.store import hiding, learned, priors
from tracker.store.database import Connection
from tracker.store.priors import MemberRow, PriorRow
from tracker.store.seen import DamagedLogError

NO_PRIOR = "none"
"""The prior of a learner that started from nothing but the network."""

FEWEST = 5
"""People that a prior needs: of fewer, it would say too much about each."""


REMEMBERED = timedelta(days=1)
"""For so long a prior is kept that is neither the newest nor named by a snapshot: one may be about to be."""

MOST_EVENTS = 20_000
"""Corrections that a prior is fitted on at most, the newest of each person: more would fill memory and tell little."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who gives to a prior.

    Attributes
    ----------
    covered
        What they allow.
    kept_back
        A digest of what they hide and had erased.
    mark
        A digest that changes with all of that, and with what they gave.
    """

    participant: str
    subject: str
    covered: Covered
    kept_back: str
    mark: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one person gives to a prior, in recording order."""

    of: Contributor
    events: Sequence[LearningEvent]


def fit(target: str, given: Sequence[Contribution], now: datetime) -> PriorRow | None:
    """Fit a prior: a pure function of the contributions; None of fewer than `FEWEST` people.

    Parameters
    ----------
    target
        What is learned.
    given
        In any order; those without an event do not count.
    now
        When it is fitted; no part of its content.
    """
    given = sorted((g for g in given if g.events), key=lambda g: g.of.subject)
    if len(given) < FEWEST:
        return None
    people = {g.of.subject: g.events for g in given}
    # As it comes back from the store: a tuple is a list there.
    parameters = json.loads(json.dumps(pooled(kind_of(target), people)))
    parameters["manifest"] = manifest([g.of for g in given])
    row = PriorRow("", target, parameters, len(people), sum(map(len, people.values())), now, None)
    return replace(row, id=_id(row))


def manifest(of: Iterable[Contributor]) -> str:
    """A digest of who gives what, which names nobody."""
    return digest(sorted((c.subject, c.mark) for c in of))


def whole(row: PriorRow) -> bool:
    """Whether a prior is what it was when it was fitted: its id is the digest of its content."""
    return row.id == _id(row)


def start_of(connection: Connection, target: str) -> tuple[str, Mapping[str, Any] | None]:
    """What a learner of a target starts from now: the newest prior that stands and is whole, or nothing."""
    row = priors.standing(connection, target)
    return (row.id, row.parameters) if row is not None and whole(row) else (NO_PRIOR, None)


def parameters_of(connection: Connection, prior: str) -> Mapping[str, Any] | None:
    """What a learner that names a prior started from.

    Raises
    ------
    SnapshotError
        When that cannot be read any more.
    """
    if prior == NO_PRIOR:
        return None
    row = priors.get(connection, prior)
    if row is None or not whole(row):
        raise SnapshotError(f"the prior {prior[:12]} that it started from is gone or damaged")
    return row.parameters


def retire_uncovered(unit: Unit) -> int:
    """Retire the priors that hold something of the person which is not granted any more; return how many."""
    covered = Covered.by(unit, Use.POOL) if unit.allowed(Use.POOL) is not None else None
    held = priors.memberships(unit.connection, unit.person.subject)
    gone = [prior for prior, member in held.items() if covered is None or not _within(member, covered)]
    return priors.retire(unit.connection, gone, unit.now)


def refit(access: Access, now: datetime, hold: Callable[[], None] = lambda: None) -> int:
    """Fit the priors of all targets anew where contributions have changed; return how many were made.

    One to which fewer than `FEWEST` people have given anything in the last 30 days is retired.

    Parameters
    ----------
    access, now
        The gate, and the instant (UTC).
    hold
        Called between people, for a job to say that it is alive.
    """
    found: dict[str, list[Contributor]] = {}
    for person in access.everyone():
        hold()
        with suppress(UnknownParticipantError), access.read(person.id, now) as unit:
            for target, contributor in contributors(access, unit):
                found.setdefault(target, []).append(contributor)
    count = sum(_refit(access, target, of, now, hold) for target, of in sorted(found.items()))
    enough = [target for target, of in found.items() if len(of) >= FEWEST]
    with access.database.write() as connection:
        # What it was fitted on is forgotten by now, and too few have said anything since.
        priors.retire_all_but(connection, enough, now)
        priors.forget_unused(connection, now - REMEMBERED)
    return count


def contributors(access: Access, unit: Unit) -> Iterator[tuple[str, Contributor]]:
    """To which priors a person gives something, by target; to none without `pooled_learning`."""
    if unit.allowed(Use.POOL) is None:
        return
    person, covered, kept_back = unit.person, Covered.by(unit, Use.POOL), _kept_back(access, unit)
    for target in learned.targets(unit.connection, person.subject):
        marks = learned.marks(unit.connection, person.subject, target, window(unit.now)[0])
        if not marks:
            continue
        mark = digest([marks, [str(at) for at in astuple(covered)], kept_back])
        yield target, Contributor(person.id, person.subject, covered, kept_back, mark)


def contribution(unit: Unit, target: str, of: Contributor, most: int) -> Contribution:
    """What a contributor gives: their newest corrections, at most so many.

    Raises
    ------
    DamagedLogError
        When they cannot be read.
    """
    rows = rows_of(unit, target, unit.now)
    return Contribution(of, events_of(unit, target, rows, of.covered, unit.now, None)[-most:])


def _refit(
    access: Access, target: str, of: Sequence[Contributor], now: datetime, hold: Callable[[], None]
) -> bool:
    if len(of) < FEWEST:
        return False
    with access.database.read() as connection:
        row = priors.standing(connection, target)
    if row is not None and row.parameters.get("manifest") == manifest(of):
        return False
    given, most = [], max(MOST_EVENTS // len(of), 1)
    for contributor in of:
        hold()
        with (
            suppress(UnknownParticipantError, DamagedLogError),
            access.read(contributor.participant, now) as unit,
        ):
            if _still(access, unit, contributor):
                given.append(contribution(unit, target, contributor, most))
    row = fit(target, given, now)
    return row is not None and _keep(access, row, [g.of for g in given if g.events], now)


def _keep(access: Access, row: PriorRow, of: Sequence[Contributor], now: datetime) -> bool:
    with suppress(UnknownParticipantError), access.write_all([c.participant for c in of], now) as units:
        by_subject = {unit.person.subject: unit for unit in units}
        # Who withdrew, hid, showed or erased anything while it was fitted is not in it as it stands: the next run fits
        # it again. An answer that came meanwhile is no reason, or it would never be kept where many answer.
        if not all(_still(access, by_subject[c.subject], c) for c in of):
            return False
        connection = units[0].connection
        if priors.get(connection, row.id) is not None:
            return False
        priors.add(
            connection,
            row,
            [(by_subject[c.subject].permit(Use.POOL), _member(c)) for c in of],
        )
        return True
    return False


def _member(of: Contributor) -> MemberRow:
    covered = of.covered
    return MemberRow(of.subject, covered.learn_since, covered.context_since, covered.prompts_since)


def _still(access: Access, unit: Unit, of: Contributor) -> bool:
    return (
        unit.allowed(Use.POOL) is not None
        and Covered.by(unit, Use.POOL) == of.covered
        and _kept_back(access, unit) == of.kept_back
    )


def _kept_back(access: Access, unit: Unit) -> str:
    hides = [(row.id, row.stretch) for row in hiding.standing(unit.connection, unit.person.subject)]
    return digest(
        [
            [[number, stretch.marked()] for number, stretch in hides],
            [[gone.stretch.marked(), str(gone.at)] for gone in erased_stretches(access, unit)],
        ]
    )


def _within(member: MemberRow, covered: Covered) -> bool:
    """Whether all that was allowed when a prior was fitted still is."""
    return (
        covered.learn_since <= member.learn_since
        and _since(member.context_since, covered.context_since)
        and _since(member.prompts_since, covered.prompts_since)
    )


def _since(then: datetime | None, now: datetime | None) -> bool:
    return then is None or (now is not None and now <= then)


def _id(row: PriorRow) -> str:
    return digest({"target": row.target, "parameters": row.parameters, "people": row.people})


def digest(content: Any) -> str:
    """SHA-256 of content's canonical JSON, in which floats keep every bit."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
