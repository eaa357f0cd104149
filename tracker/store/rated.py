"""Queries that delete what raters said together, where nothing that they said is left to carry it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, distinct, func, select

from tracker.domain.rating import Verdict
from tracker.store.erasing import owned
from tracker.store.extents import delete_rows, with_dependents
from tracker.store.rating_items import standing_vote
from tracker.store.tables import corrections, rating_tasks, rating_votes


def unsaid(connection: Connection, subject: str) -> frozenset[int]:
    """The observations of which a word of raters is stored, and no vote says an emotion any more."""
    v, c = rating_votes.c, corrections.c
    said = select(v.observation).where(v.subject == subject, *_words())
    query = select(c.observation).where(
        c.subject == subject,
        c.rated_grant.is_not(None),
        c.observation.is_not(None),
        c.observation.not_in(said),
    )
    return frozenset(connection.execute(query).scalars())


def worded(connection: Connection, subject: str) -> frozenset[int]:
    """The observations of which a word of raters is stored."""
    c = corrections.c
    query = select(c.observation).where(
        c.subject == subject, c.rated_grant.is_not(None), c.observation.is_not(None)
    )
    return frozenset(connection.execute(query).scalars())


def resting_on(connection: Connection, member: str) -> dict[str, list[int]]:
    """The observations of which only one rater has said an emotion that stands, by subject."""
    v = rating_votes.c
    mine = select(v.observation).where(v.member == member)
    query = (
        select(v.subject, v.observation)
        .where(v.observation.in_(mine), *_words())
        .group_by(v.subject, v.observation)
        .having(func.count(distinct(v.member)) == 1, func.min(v.member) == member)
        .order_by(v.subject, v.observation)
    )
    found: dict[str, list[int]] = {}
    for subject, observation in connection.execute(query):
        found.setdefault(subject, []).append(observation)
    return found


def delete_words(
    connection: Connection, subject: str, participant: str, observations: Collection[int]
) -> int:
    """Delete what raters said together of some moments, and what was learned from it; return how many words."""
    c = corrections.c
    mine = owned(subject, participant)
    gone = mine[corrections] & c.rated_grant.is_not(None) & c.observation.in_(sorted(observations))
    return delete_rows(connection, mine, with_dependents({corrections: gone})).get(corrections.name, 0)


def _words() -> tuple[ColumnElement[bool], ...]:
    """The condition of votes on single pictures that stand and say an emotion: what words are put together of."""
    v = rating_votes.c
    pictures = select(rating_tasks.c.id).where(rating_tasks.c.kind == "crop")
    return v.verdict == Verdict.EMOTION.value, v.task.in_(pictures), standing_vote()
