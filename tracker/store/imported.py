"""Queries about what files of other programs brought: what of it is there, by instant."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from tracker.domain.affect import Distribution
from tracker.store.feedback import PARTICIPANT, standing_corrections
from tracker.store.rows import EMOTION_COLUMNS, from_columns
from tracker.store.tables import contexts, corrections, learning_events, observations

Said = Distribution | float | None
Around = tuple[str | None, str | None, str | None]

_TICK = timedelta(microseconds=1)


def words_between(
    connection: Connection, subject: str, first: datetime, last: datetime
) -> dict[tuple[datetime, str], list[Said]]:
    """What a participant says of the instants of [first, last], by instant and target.

    Where nothing of an instant stands any more, because a word about its observation replaced it, what was said.
    """
    c = corrections.c
    rows = standing_corrections(connection, subject, first, last + _TICK)
    found: dict[tuple[datetime, str], list[Said]] = {}
    for row in rows:
        if row.rater == PARTICIPANT:
            found[row.at, row.target] = [row.value if row.distribution is None else row.distribution]
    standing = frozenset(found)
    query = select(c.at, c.target, c.value, *(c[name] for name in EMOTION_COLUMNS)).where(
        c.subject == subject, c.rater == PARTICIPANT, c.at.between(first, last)
    )
    for said in connection.execute(query).mappings():
        key = (said["at"], said["target"])
        if key not in standing:
            distribution = from_columns(dict(said))
            found.setdefault(key, []).append(said["value"] if distribution is None else distribution)
    return found


def spoken_of(connection: Connection, subject: str, observation: int, target: str) -> bool:
    """Whether a word about an observation stands or stood that a participant's word about it takes the place of."""
    c = corrections.c
    query = (
        select(c.id)
        .where(
            c.subject == subject,
            c.observation == observation,
            c.target == target,
            or_(c.rater == PARTICIPANT, c.rated_grant.is_not(None)),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None


def contexts_between(
    connection: Connection, subject: str, first: datetime, last: datetime
) -> dict[datetime, set[Around]]:
    """What is said of a participant's surroundings at the instants of [first, last]: place, activity, company."""
    c = contexts.c
    query = select(c.at, c.place, c.activity, c.company).where(
        c.subject == subject, c.at.between(first, last)
    )
    found: dict[datetime, set[Around]] = {}
    for at, *words in connection.execute(query):
        found.setdefault(at, set()).add((words[0], words[1], words[2]))
    return found


def observations_between(
    connection: Connection, subject: str, source: str, first: int, last: int
) -> dict[int, datetime]:
    """The instants of what is stored of a source, by presentation time (microseconds) of [first, last]."""
    o = observations.c
    query = select(o.pts_us, o.at).where(
        o.subject == subject, o.source == source, o.pts_us.between(first, last)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def unlearned(connection: Connection, subject: str) -> set[int]:
    """The imported corrections of a subject that no learner has learned, by number."""
    learned = select(learning_events.c.id).where(learning_events.c.correction == corrections.c.id)
    query = select(corrections.c.id).where(
        corrections.c.subject == subject, corrections.c.imported_from.is_not(None), ~learned.exists()
    )
    return set(connection.execute(query).scalars())


def any_rows(connection: Connection, subject: str) -> bool:
    """Whether anything that a learner learns from was imported: answers, what surrounded them, or what was read."""
    queries = (
        select(table.c.id).where(table.c.subject == subject, table.c.imported_from.is_not(None)).limit(1)
        for table in (corrections, contexts, observations)
    )
    return any(connection.execute(query).first() is not None for query in queries)


def same(stored: Said, said: Said) -> bool:
    """Whether two answers say the same, but for the last bits of a number.

    Examples
    --------
    >>> same(0.1 + 0.2, 0.3), same(0.5, -0.5), same(None, 0.5)
    (True, False, False)
    """
    if isinstance(stored, Distribution) and isinstance(said, Distribution):
        pairs = zip(stored.probabilities, said.probabilities, strict=True)
        return all(math.isclose(a, b, abs_tol=1e-9) for a, b in pairs)
    if isinstance(stored, float | int) and isinstance(said, float | int):
        return math.isclose(stored, said, abs_tol=1e-9)
    return False
