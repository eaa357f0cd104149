"""Priors: what learners start from, fitted on the corrections of people who granted `pooled_learning`.

A prior is a pure function of its contributors' events, and its id is the digest of its content. It is fitted
without whoever leaves; until then it is retired, and no learner that started from it is asked. A contributor's own
learner starts from it too, so their own answers count a little twice, by one share in as many as contribute: fitting
one prior for each of them would cost as many fits as there are people.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.learning.kinds import kind_of, pooled
from tracker.learning.learner import SnapshotError
from tracker.learning.replay import LearningEvent
from tracker.personal.log import Covered, events_of, rows_of
from tracker.store import learned, priors
from tracker.store.database import Connection
from tracker.store.priors import MemberRow, PriorRow
from tracker.store.seen import DamagedLogError

NO_PRIOR = "none"
"""The prior of a learner that started from nothing but the network."""

FEWEST = 5
"""People that a prior needs: of fewer, it would say too much about each."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one person gives to a prior."""

    participant: str
    subject: str
    covered: Covered
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
    people = {g.subject: g.events for g in sorted(given, key=lambda g: g.subject) if g.events}
    if len(people) < FEWEST:
        return None
    # As it comes back from the store: a tuple is a list there.
    parameters = json.loads(json.dumps(pooled(kind_of(target), people)))
    parameters["manifest"] = _digest(sorted(people))
    row = PriorRow("", target, parameters, len(people), sum(map(len, people.values())), now, None)
    return PriorRow(_id(row), *(getattr(row, name) for name in PriorRow.__dataclass_fields__ if name != "id"))


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

    Parameters
    ----------
    access, now
        The gate, and the instant (UTC).
    hold
        Called between people, for a job to say that it is alive.
    """
    gathered: dict[str, list[Contribution]] = {}
    for person in access.everyone():
        hold()
        with suppress(UnknownParticipantError, DamagedLogError), access.read(person.id, now) as unit:
            for target, contribution in contributions(unit):
                gathered.setdefault(target, []).append(contribution)
    return sum(_keep(access, target, given, now) for target, given in sorted(gathered.items()))


def contributions(unit: Unit) -> Iterator[tuple[str, Contribution]]:
    """What a person gives to the priors, by target; nothing without `pooled_learning`."""
    if unit.allowed(Use.POOL) is None:
        return
    covered = Covered.by(unit, Use.POOL)
    for target in learned.targets(unit.connection, unit.person.subject):
        rows = rows_of(unit, target, unit.now)
        events = events_of(unit, target, rows, covered, unit.now, None)
        yield target, Contribution(unit.person.id, unit.person.subject, covered, events)


def _keep(access: Access, target: str, given: Sequence[Contribution], now: datetime) -> bool:
    given = [g for g in given if g.events]
    row = fit(target, given, now)
    if row is None:
        return False
    with access.database.read() as connection:
        if priors.get(connection, row.id) is not None:
            return False
    with suppress(UnknownParticipantError), access.write_all([g.participant for g in given], now) as units:
        by_subject = {unit.person.subject: unit for unit in units}
        members = []
        for g in given:
            unit = by_subject[g.subject]
            # Who changed anything while it was fitted is not in it as it stands: the next night fits it again.
            permit = unit.allowed(Use.POOL)
            if permit is None or Covered.by(unit, Use.POOL) != g.covered:
                return False
            since = g.covered
            members.append(
                (permit, MemberRow(g.subject, since.learn_since, since.context_since, since.prompts_since))
            )
        priors.add(units[0].connection, row, members)
        return True
    return False


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
    return _digest({"target": row.target, "parameters": row.parameters, "people": row.people})


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
