"""What raters said of a person's moments, each for themselves, and what is held to be true of those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from tracker.domain.raters import NEEDED, RaterScope
from tracker.domain.rating import Verdict
from tracker.store.exporting.cutting import Cut
from tracker.store.exporting.fetching import Rows, plain, stream
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import (
    adjudications,
    observations,
    rater_consents,
    rating_gold,
    rating_tasks,
    rating_traces,
    rating_votes,
)

RATING_COLUMNS = (
    "at",
    "zone",
    "observation",
    "kind",
    "member",
    "verdict",
    *EMOTION_COLUMNS,
    "valence",
    "arousal",
    "suggestion_shown",
    "response_ms",
    "random",
    "gold",
    "recorded_at",
    "replaced",
)

TRACE_COLUMNS = ("zone", "at", "member", "dimension", "samples", "lag_s", "recorded_at")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is held to be true of a moment.

    Attributes
    ----------
    source
        ``known``: the answer was known beforehand. ``decided``: somebody decided between raters.
    verdict
        As of a vote.
    probabilities
        The eight; None where the verdict is no emotion.
    """

    source: str
    verdict: str
    probabilities: tuple[float, ...] | None


def allowing_research(connection: Connection, cut: Cut, notice: str | None = None) -> dict[str, bool]:
    """The raters whose answers may be exported, and of each whether how long they took may be told.

    Parameters
    ----------
    cut
        What they said up to there counts, under whichever notice.
    notice
        What they say now counts instead, under this notice alone.
    """
    c = rater_consents.c
    query = select(c.member, c.scope, c.state).order_by(c.id)
    if notice is not None:
        query = query.where(c.notice == notice)
    else:
        query = query.where(c.id <= cut.mark(rater_consents), c.recorded_at <= cut.at)
    said: dict[str, dict[str, str]] = {}
    for member, scope, state in connection.execute(query):
        said.setdefault(member, {})[scope] = state
    needed = {RaterScope.RESEARCH, *NEEDED}
    return {
        member: states.get(RaterScope.SPEED) == "given"
        for member, states in sorted(said.items())
        if all(states.get(scope) == "given" for scope in needed)
    }


def rating_rows(connection: Connection, subject: str, cut: Cut) -> Iterator[Rows]:
    """Every answer of raters about a subject, in order of its moment: id, then the columns of `RATING_COLUMNS`.

    Whatever consent says: `replaced` tells those that a later one took the place of.
    """
    later = rating_votes.alias("later")
    replaced = (
        select(later.c.id)
        .where(
            later.c.supersedes == rating_votes.c.id,
            later.c.id <= cut.mark(rating_votes),
            later.c.recorded_at <= cut.at,
        )
        .exists()
    )
    v = rating_votes.c
    query = (
        select(
            v.id,
            plain(connection, observations.c.at),
            observations.c.zone,
            v.observation,
            rating_tasks.c.kind,
            v.member,
            v.verdict,
            *(v[c] for c in EMOTION_COLUMNS),
            v.valence,
            v.arousal,
            v.suggestion_shown,
            v.response_ms,
            rating_tasks.c.random,
            rating_tasks.c.gold,
            plain(connection, v.recorded_at),
            replaced.label("replaced"),
        )
        .join(rating_tasks, rating_tasks.c.id == v.task)
        .join(observations, observations.c.id == v.observation)
        .where(v.subject == subject, cut.of(rating_votes), cut.of(observations))
        .order_by(observations.c.at, observations.c.id, v.id)
    )
    return stream(connection, query)


def trace_rows(connection: Connection, subject: str, cut: Cut) -> Iterator[Rows]:
    """Every trace about a subject in the order in which they were kept: the columns of `TRACE_COLUMNS`.

    `at` is the instant of the moment with which the stretch begins; samples are as stored.
    """
    t = rating_traces.c
    query = (
        select(
            observations.c.zone,
            plain(connection, observations.c.at),
            t.member,
            t.dimension,
            t.samples,
            t.lag_s,
            plain(connection, t.recorded_at),
        )
        .join(observations, observations.c.id == t.observation)
        .where(t.subject == subject, cut.of(rating_traces), cut.of(observations))
        .order_by(t.recorded_at, t.id)
    )
    return stream(connection, query)


def truths(connection: Connection, subject: str, cut: Cut) -> dict[int, Truth]:
    """What is held to be true of a subject's moments, by observation; what was known goes before what was decided."""
    later, a, g = adjudications.alias("later"), adjudications.c, rating_gold.c
    replaced = (
        select(later.c.id)
        .where(
            later.c.supersedes == a.id,
            later.c.id <= cut.mark(adjudications),
            later.c.recorded_at <= cut.at,
        )
        .exists()
    )
    decided = select(a.observation, a.verdict, *(a[c] for c in EMOTION_COLUMNS)).where(
        a.subject == subject, cut.of(adjudications), ~replaced
    )
    known = select(g.observation, *(g[c] for c in EMOTION_COLUMNS)).where(
        g.subject == subject, cut.of(rating_gold)
    )
    found = {
        row[0]: Truth("decided", row[1], _eight(row[2:]))
        for row in connection.execute(decided.order_by(a.id))
    }
    return found | {
        row[0]: Truth("known", Verdict.EMOTION.value, _eight(row[1:])) for row in connection.execute(known)
    }


def rated(connection: Connection, subject: str, cut: Cut) -> bool:
    """Whether anything of a subject was rated at all; most people's exports need not look any further."""
    tables = (rating_votes, rating_traces)
    counts = (select(func.count()).select_from(t).where(t.c.subject == subject, cut.of(t)) for t in tables)
    return any(connection.execute(query).scalar_one() for query in counts)


def _eight(values: Any) -> tuple[float, ...] | None:
    return None if values[0] is None else tuple(values)
