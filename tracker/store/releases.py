"""Queries about differentially private releases: what was told, and whom each release was charged to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from tracker.store.tables import release_members, releases


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release as stored.

    Attributes
    ----------
    id
        Its number.
    study, query
        Of what study it tells, and what was asked: the same asked again is answered by this.
    at
        When it was made.
    epsilon, delta
        What it cost each person in it.
    result
        What was told: noisy figures, or that there were too few people.
    """

    id: int
    study: str
    at: datetime
    query: dict[str, Any]
    epsilon: float
    delta: float
    result: dict[str, Any]


Value = tuple[str, str, str, float | None, float | None, int | None]
"""A figure's name, whom a row is of, the cell, its value, the margin of its noise, and about how many people."""


def values_of(figures: Iterable[dict[str, Any]]) -> Iterator[Value]:
    """Every value that was told; of a row that was withheld nothing but that it is.

    Examples
    --------
    >>> night = {"of": "night", "withheld": True}
    >>> list(values_of([{"name": "emotions", "rows": [night]}]))
    [('emotions', 'night', '', None, None, None)]
    """
    for figure in figures:
        for row in figure["rows"]:
            if row["withheld"]:
                yield figure["name"], row["of"], "", None, None, None
                continue
            for cell, value in row["values"].items():
                yield figure["name"], row["of"], cell, value, row["margin_95"], row["people"]["about"]


_COLUMNS = (
    releases.c.id,
    releases.c.study,
    releases.c.at,
    releases.c.query,
    releases.c.epsilon,
    releases.c.delta,
    releases.c.result,
)


def every(connection: Connection) -> list[ReleaseRow]:
    """All releases of the installation, whatever study governed then, oldest first."""
    return [ReleaseRow(*row) for row in connection.execute(select(*_COLUMNS).order_by(releases.c.id))]


def same(connection: Connection, study: str, query: dict[str, Any]) -> ReleaseRow | None:
    """The release that answered this very query, or None."""
    return next((row for row in every(connection) if row.study == study and row.query == query), None)


def charges(connection: Connection, subjects: Collection[str]) -> dict[str, list[tuple[float, float]]]:
    """What each subject was charged so far, in all studies: (epsilon, delta) per release.

    What was told about somebody under one study stays told under the next, so it is not forgotten there.
    """
    found: dict[str, list[tuple[float, float]]] = {subject: [] for subject in subjects}
    query = (
        select(release_members.c.subject, releases.c.epsilon, releases.c.delta)
        .join_from(release_members, releases, release_members.c.release == releases.c.id)
        .order_by(releases.c.id)
    )
    if len(found) == 1:
        query = query.where(release_members.c.subject == next(iter(found)))
    for subject, epsilon, delta in connection.execute(query):
        if subject in found:
            found[subject].append((epsilon, delta))
    return found


def add(
    connection: Connection,
    study: str,
    query: dict[str, Any],
    charge: tuple[float, float],
    result: dict[str, Any],
    subjects: Iterable[str],
    now: datetime,
) -> ReleaseRow:
    """Store a release together with whom it is charged to."""
    epsilon, delta = charge
    values = {"study": study, "at": now, "query": query, "epsilon": epsilon, "delta": delta, "result": result}
    number: int = connection.execute(insert(releases).values(values).returning(releases.c.id)).scalar_one()
    members = [{"release": number, "subject": subject} for subject in sorted(subjects)]
    if members:
        connection.execute(insert(release_members), members)
    return ReleaseRow(number, study, now, query, epsilon, delta, result)
