"""Make a release: read everybody's part, then, with all of them locked, check budgets, add noise, store and charge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.budget import Budget, Charge, affords, composed
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store import releases
from tracker.store.database import Connection
from tracker.study import DEFAULT
from tracker.workflows.aggregates.contributing import Contribution, contribution, starts_of
from tracker.workflows.aggregates.errors import AggregateError, TooFewError
from tracker.workflows.aggregates.figures import told
from tracker.workflows.aggregates.queries import Query

_ERASED = (UnknownParticipantError, KeyDestroyedError)

ATTEMPTS = 3
"""How often a release begins anew because somebody in it was erased while it was made."""


@dataclass(frozen=True, slots=True)
class Release:
    """Figures that were given out.

    Attributes
    ----------
    id, at
        Its number, and when it was made (UTC).
    query
        What was asked.
    charge
        What it cost each person in it.
    result
        The figures, as they are stored and given out.
    repeated
        Whether it had been made before, so that it cost nothing now.
    """

    id: int
    at: datetime
    query: Query
    charge: Charge
    result: Mapping[str, Any]
    repeated: bool


def release(
    access: Access,
    query: Query,
    budget: Budget,
    now: datetime,
    *,
    study: str = DEFAULT.id,
    progress: Callable[[float], None] = lambda done: None,
) -> Release:
    """Tell figures about everybody who granted `affect_series` and can pay for them.

    The same query is answered once: asked again, it gets what was told then and costs nothing.

    Parameters
    ----------
    access
        The gate.
    query
        What is asked.
    budget
        What the study may cost each participant.
    now
        When (UTC).
    study
        Whose budget is charged: each study has its own.
    progress
        Hears how much is done, 0 to 1.

    Raises
    ------
    BudgetError
        When the query's ε is no possible one, or more than the whole budget.
    TooFewError
        When too few people are in it, or have budget left.
    """
    budget.charge(query.epsilon)
    for _ in range(ATTEMPTS):
        with access.database.read() as connection:
            before = releases.same(connection, study, query.as_json())
        if before is not None:
            return _given_out(access, before, query, budget, repeated=True)
        parts = _parts(access, query, now, progress)
        try:
            with _locked(access, parts, now) as (connection, units):
                row, repeated = _decide(connection, units, parts, query, budget, study, now)
        except _ERASED:
            continue
        return _given_out(access, row, query, budget, repeated=repeated)
    raise AggregateError(
        f"participants were erased {ATTEMPTS} times while figures were made; nothing was told, run it again"
    )


def _parts(
    access: Access, query: Query, now: datetime, progress: Callable[[float], None]
) -> dict[str, Contribution]:
    """Everybody's contribution, by participant; each is read under their own consent, in a snapshot of its own."""
    parts = {}
    persons = [person for person in access.everyone() if person.simulated == query.simulated]
    for i, person in enumerate(persons):
        try:
            with access.read(person.id, now) as unit:
                part = contribution(unit, query)
        except _ERASED:
            continue  # erased a moment ago
        if part is not None:
            parts[person.id] = part
        progress((i + 1) / len(persons))
    return parts


@contextmanager
def _locked(
    access: Access, participants: Iterable[str], now: datetime
) -> Iterator[tuple[Connection, list[Unit]]]:
    with access.database.write() as connection:
        # In the order in which everybody locks several people, so that two releases do not wait for each other.
        yield connection, [access.join(connection, participant, now) for participant in sorted(participants)]


def _decide(
    connection: Connection,
    units: list[Unit],
    parts: Mapping[str, Contribution],
    query: Query,
    budget: Budget,
    study: str,
    now: datetime,
) -> tuple[releases.ReleaseRow, bool]:
    """With everybody locked: nobody withdraws, and no other release charges them, until this one is stored."""
    before = releases.same(connection, study, query.as_json())
    if before is not None:
        return before, True
    cost = budget.charge(query.epsilon)
    spent = releases.charges(connection, {unit.person.subject for unit in units})
    payers = {
        unit.person.subject: parts[unit.person.id].tables
        for unit in units
        if starts_of(unit) == parts[unit.person.id].starts
        and affords(budget, composed(Charge(*c) for c in spent[unit.person.subject]), cost)
    }
    charge, result = told(list(payers.values()), query, cost, budget.least_people)
    row = releases.add(
        connection, study, query.as_json(), (charge.epsilon, charge.delta), result, payers, now
    )
    return row, False


def _given_out(
    access: Access, row: releases.ReleaseRow, query: Query, budget: Budget, *, repeated: bool
) -> Release:
    charge = Charge(row.epsilon, row.delta)
    if row.result["refused"]:
        with access.database.read() as connection:
            so_far = composed(Charge(r.epsilon, r.delta) for r in releases.every(connection))
        raise TooFewError(budget, charge, so_far)
    return Release(row.id, row.at, query, charge, row.result, repeated)
