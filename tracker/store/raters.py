"""Queries about raters themselves: what they agreed to, how they set up their keys, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from tracker.store.rows import upsert
from tracker.store.tables import (
    adjudications,
    rater_consents,
    rater_settings,
    rating_gold,
    rating_tasks,
    rating_traces,
    rating_votes,
)

_SAID = (rating_votes, rating_traces, rating_tasks)
"""What a rater said, children first."""
_DECIDED = (rating_gold, adjudications)


@dataclass(frozen=True, slots=True)
class RaterConsent:
    """What a rater said about being measured, and under which text."""

    scope: str
    state: str
    notice: str
    recorded_at: datetime


def record(connection: Connection, member: str, consent: RaterConsent) -> None:
    """Append what a rater said."""
    connection.execute(
        insert(rater_consents).values(
            member=member,
            scope=consent.scope,
            state=consent.state,
            notice=consent.notice,
            recorded_at=consent.recorded_at,
        )
    )


def consents(connection: Connection, member: str) -> list[RaterConsent]:
    """What a rater said, in order."""
    c = rater_consents.c
    query = select(c.scope, c.state, c.notice, c.recorded_at).where(c.member == member).order_by(c.id)
    return [RaterConsent(*row) for row in connection.execute(query)]


def keys(connection: Connection, member: str) -> Mapping[str, Any]:
    """How a rater set up their keys; empty where they did not."""
    query = select(rater_settings.c["keys"]).where(rater_settings.c.member == member)
    found = connection.execute(query).scalar_one_or_none()
    return found if isinstance(found, dict) else {}


def set_keys(connection: Connection, member: str, chosen: Mapping[str, Any], now: datetime) -> None:
    """Keep how a rater sets up their keys."""
    values = {"keys": dict(chosen), "changed_at": now}
    connection.execute(
        upsert(connection, rater_settings)
        .values(member=member, **values)
        .on_conflict_do_update(index_elements=["member"], set_=values)
    )


def held_of(connection: Connection, member: str) -> dict[str, int]:
    """How many rows each table holds of what a rater said, decided or set up; those without any are left out."""
    conditions = {
        **{table: table.c.member == member for table in _SAID},
        **{table: table.c.decided_by == member for table in _DECIDED},
        rater_settings: rater_settings.c.member == member,
    }
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
        for table, mine in conditions.items()
    }
    return {name: n for name, n in counts.items() if n}


def forget(connection: Connection, member: str) -> dict[str, int]:
    """Delete what a rater said; what they decided for the study stays, and names nobody any more.

    What was put together of several raters' words stays as it is: it says nothing about any of them. What rests on
    this one alone is deleted before (`tracker.workflows.rating.leaving`), or by the next night's job.
    """
    counts = {
        table.name: connection.execute(delete(table).where(table.c.member == member)).rowcount
        for table in _SAID
    }
    for table in _DECIDED:
        gone = update(table).where(table.c.decided_by == member).values(decided_by=None)
        counts[table.name] = connection.execute(gone).rowcount
    return {name: n for name, n in counts.items() if n}


def forget_choices(connection: Connection, member: str) -> dict[str, int]:
    """Delete what a rater agreed to, and their keys."""
    counts = {
        table.name: connection.execute(delete(table).where(table.c.member == member)).rowcount
        for table in (rater_consents, rater_settings)
    }
    return {name: n for name, n in counts.items() if n}


def allowing(connection: Connection, scope: str, notice: str) -> frozenset[str]:
    """The raters who allow something about themselves under a notice, as they said last."""
    c = rater_consents.c
    query = select(c.member, c.state).where(c.scope == scope, c.notice == notice).order_by(c.id)
    said = {row.member: row.state for row in connection.execute(query)}
    return frozenset(member for member, state in said.items() if state == "given")
