"""What stood around the moments of a series, as its person is shown it: contexts and questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, select

from tracker.domain.consent import Scope
from tracker.domain.series import CONTEXT_HOLDS, Context
from tracker.store.tables import contexts, prompts

NOTHING_ENDS: Mapping[Scope, datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was put.

    Attributes
    ----------
    at
        When it was put, else when it was to be.
    state
        `tracker.domain.prompting.State`, or a word of earlier versions.
    reason
        Why it was put then, or None.
    """

    at: datetime
    state: str
    reason: str | None


def contexts_shown(
    connection: Connection,
    subject: str,
    start: datetime,
    end: datetime,
    horizons: Mapping[Scope, datetime] = NOTHING_ENDS,
) -> list[Context]:
    """Contexts that speak for moments of [start, end), in order, for the person themselves."""
    first = max(start - CONTEXT_HOLDS, horizons.get(Scope.CONTEXT, start - CONTEXT_HOLDS))
    c = contexts.c
    query = (
        select(c.at, c.place, c.activity, c.company)
        .where(c.subject == subject, c.at >= first, c.at < end)
        .order_by(c.at, c.id)
    )
    return [Context(*row) for row in connection.execute(query)]


def prompts_shown(
    connection: Connection,
    subject: str,
    start: datetime,
    end: datetime,
    horizons: Mapping[Scope, datetime] = NOTHING_ENDS,
) -> list[Asked]:
    """Questions planned for moments of [start, end), in order."""
    c = prompts.c
    query = (
        select(c.scheduled_at, c.notified_at, c.state, c.reason)
        .where(
            c.subject == subject,
            c.scheduled_at >= max(start, horizons.get(Scope.PROMPTS, start)),
            c.scheduled_at < end,
        )
        .order_by(c.scheduled_at, c.id)
    )
    return [Asked(r.notified_at or r.scheduled_at, r.state, r.reason) for r in connection.execute(query)]
