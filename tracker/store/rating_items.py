"""Queries about what can be rated: moments of which a picture is kept, with what was said of each so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, select, union
from sqlalchemy.orm import aliased

from tracker.domain.affect import Distribution
from tracker.domain.consent import RATE, Permit, Use
from tracker.domain.rating import Verdict
from tracker.domain.series import MACHINE
from tracker.store.hiding import unhidden
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import (
    adjudications,
    corrections,
    crops,
    estimates,
    frames,
    observations,
    rating_tasks,
    rating_votes,
)

MOST_ITEMS = 2_000
"""Of one person that are put in order for one queue, the newest; what is older waits until there are fewer."""


@dataclass(frozen=True, slots=True)
class Rateable:
    """A moment with a picture.

    Attributes
    ----------
    observation, at
        Its id and instant.
    probabilities
        What the network says of it, in the one order of emotions.
    """

    observation: int
    at: datetime
    probabilities: tuple[float, ...]

    @property
    def machine(self) -> Distribution:
        """What the network says of it."""
        return Distribution(self.probabilities)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item stands: who has said something, and for whom it is kept now.

    Attributes
    ----------
    said
        What raters said that stands, by member, the first first; None for a word without an emotion. Who was
        uncomfortable, or took their word back, said nothing.
    held
        The members for whom it is kept at this instant.
    """

    said: Mapping[str, Distribution | None] = field(default_factory=dict)
    held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Own:
    """A rater's own past with an item: whether they are done with it, or have put it off."""

    done: bool
    put_off: bool
    leased: bool


def rateable(connection: Connection, permit: Permit, subject: str) -> list[Rateable]:
    """The moments of a subject that raters may see now, the newest first; those that are hidden are none."""
    permit.demand(*RATE)
    return _rateable(
        connection, _with_estimates(permit).where(*_may_be_seen(permit, subject)).limit(MOST_ITEMS)
    )


def spoken_of(connection: Connection, permit: Permit, subject: str) -> list[Rateable]:
    """The moments that raters may see now and have said something of, or somebody decided: every one, however old."""
    said = union(
        select(rating_votes.c.observation).where(rating_votes.c.subject == subject),
        select(adjudications.c.observation).where(adjudications.c.subject == subject),
    )
    permit.demand(*RATE)
    query = _with_estimates(permit).where(*_may_be_seen(permit, subject), observations.c.id.in_(said))
    return _rateable(connection, query)


def may_be_seen(connection: Connection, permit: Permit, subject: str, observation: int) -> bool:
    """Whether raters may see a moment of a subject now: its picture is kept, covered and not hidden."""
    permit.demand(*RATE)
    query = (
        select(observations.c.id)
        .join_from(observations, *_picture(permit))
        .where(*_may_be_seen(permit, subject), observations.c.id == observation)
    )
    return connection.execute(query).first() is not None


def frames_from(
    connection: Connection, permit: Permit, subject: str, observation: int, length: timedelta, most: int
) -> list[Rateable]:
    """The rateable moments of the same recording from one on, in order of time."""
    permit.demand(*RATE)
    here = connection.execute(
        select(observations.c.at, observations.c.source).where(
            observations.c.id == observation, observations.c.subject == subject
        )
    ).one_or_none()
    if here is None:
        return []
    query = (
        select(observations.c.id, observations.c.at, *(estimates.c[c] for c in EMOTION_COLUMNS))
        .join_from(observations, *_picture(permit))
        .join(estimates, and_(estimates.c.observation == observations.c.id, estimates.c.snapshot == MACHINE))
        .where(
            *_may_be_seen(permit, subject),
            observations.c.source == here.source,
            observations.c.at.between(here.at, here.at + length),
        )
        .order_by(observations.c.at, observations.c.id, estimates.c.id)
    )
    rows = connection.execute(query)
    found = {row[0]: Rateable(row[0], row[1], tuple(row[2:])) for row in rows}
    return list(found.values())[:most]


def standings(connection: Connection, subject: str, kind: str, now: datetime) -> dict[int, Standing]:
    """Where each item of a subject stands that anybody was given."""
    said: dict[int, dict[str, Distribution | None]] = {}
    held: dict[int, set[str]] = {}
    votes = (
        select(
            rating_votes.c.observation,
            rating_votes.c.member,
            rating_votes.c.verdict,
            *(rating_votes.c[c] for c in EMOTION_COLUMNS),
        )
        .join(rating_tasks, rating_tasks.c.id == rating_votes.c.task)
        .where(rating_votes.c.subject == subject, rating_tasks.c.kind == kind, standing_vote())
        .order_by(rating_votes.c.id)
    )
    for row in connection.execute(votes):
        if Verdict(row[2]).counts:
            words = Distribution(tuple(row[3:])) if row[3] is not None else None
            said.setdefault(row[0], {})[row[1]] = words
    leases = select(rating_tasks.c.observation, rating_tasks.c.member).where(
        rating_tasks.c.subject == subject, rating_tasks.c.kind == kind, rating_tasks.c.leased_until > now
    )
    for observation, member in connection.execute(
        leases.where(rating_tasks.c.done_at.is_(None), rating_tasks.c.put_off_at.is_(None))
    ):
        held.setdefault(observation, set()).add(member)
    return {
        item: Standing(said.get(item, {}), frozenset(held.get(item, ())))
        for item in said.keys() | held.keys()
    }


def own(connection: Connection, subject: str, kind: str, member: str, now: datetime) -> dict[int, Own]:
    """A rater's own past with the items of a subject."""
    t = rating_tasks.c
    query = select(t.observation, t.done_at, t.put_off_at, t.leased_until).where(
        t.subject == subject, t.kind == kind, t.member == member
    )
    return {
        row.observation: Own(
            row.done_at is not None,
            row.put_off_at is not None,
            row.leased_until > now and row.put_off_at is None and row.done_at is None,
        )
        for row in connection.execute(query)
    }


def last_words(connection: Connection, subject: str, since: datetime) -> list[datetime]:
    """The moments since an instant that anybody has said something about, in order."""
    said = select(corrections.c.at).where(corrections.c.subject == subject, corrections.c.at >= since)
    rated = (
        select(observations.c.at)
        .join(rating_votes, rating_votes.c.observation == observations.c.id)
        .where(rating_votes.c.subject == subject, observations.c.at >= since)
    )
    found = {*connection.execute(said).scalars(), *connection.execute(rated).scalars()}
    return sorted(found)


def standing_vote() -> ColumnElement[bool]:
    """The condition under which a vote was not superseded."""
    newer = aliased(rating_votes, name="newer_vote")
    return ~select(newer.c.id).where(newer.c.supersedes == rating_votes.c.id).exists()


def _picture(permit: Permit) -> tuple[Table, ColumnElement[bool]]:
    """What raters are shown of a moment under a permit, and how it hangs on its observation."""
    table = crops if permit.use is Use.RATE_CROPS else frames
    return table, table.c.observation == observations.c.id


def _with_estimates(permit: Permit) -> Select[Any]:
    """Moments with a picture and what the network says of them, the newest first."""
    return (
        select(observations.c.id, observations.c.at, *(estimates.c[c] for c in EMOTION_COLUMNS))
        .join_from(observations, *_picture(permit))
        .join(estimates, and_(estimates.c.observation == observations.c.id, estimates.c.snapshot == MACHINE))
        # The network that read it last speaks for it.
        .order_by(observations.c.at.desc(), observations.c.id, estimates.c.id)
    )


def _rateable(connection: Connection, query: Select[Any]) -> list[Rateable]:
    found = {row[0]: Rateable(row[0], row[1], tuple(row[2:])) for row in connection.execute(query)}
    return list(found.values())


def _may_be_seen(permit: Permit, subject: str) -> tuple[ColumnElement[bool], ...]:
    return (
        observations.c.subject == subject,
        observations.c.at >= permit.covers_from,
        unhidden(observations.c.subject, observations.c.at),
    )
