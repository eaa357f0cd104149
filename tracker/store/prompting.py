"""Queries about prompts as they stand: whether a slot has one, those that wait, and one step of one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.prompting import OPEN, Because, Step, advance, recorded_state
from tracker.domain.series import Prompt
from tracker.domain.stretches import Stretch
from tracker.store.ageing import NOTHING_AGES, Horizons, readable
from tracker.store.hiding import outside
from tracker.store.tables import observations, prompts, zones

_FIELDS = (
    "slot",
    "scheduled_at",
    "notified_at",
    "started_at",
    "completed_at",
    "state",
    "reason",
    "random",
    "expires_at",
    "reminded_at",
    "reminders",
    "ended_at",
    "pushed_at",
)
_MOVES = (
    "notified_at",
    "started_at",
    "completed_at",
    "state",
    "reason",
    "reminded_at",
    "reminders",
    "ended_at",
)
NOTHING_HIDDEN: Mapping[str, Sequence[Stretch]] = MappingProxyType({})
_WAITING = ("open", *sorted(state.value for state in OPEN))


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt as stored.

    Attributes
    ----------
    id
        Its number.
    zone
        Where the participant was when it was put.
    prompt
        How it stands.
    """

    id: int
    zone: str
    prompt: Prompt


class PromptMovedError(RuntimeError):
    """A prompt has moved on since it was read; read it again."""


def taken(connection: Connection, subject: str, slots: Collection[str]) -> set[str]:
    """Which of some slots have a prompt already, put or not."""
    if not slots:
        return set()
    query = select(prompts.c.slot).where(prompts.c.subject == subject, prompts.c.slot.in_(sorted(slots)))
    return set(connection.execute(query).scalars())


def one(connection: Connection, subject: str, prompt: int) -> PromptRow | None:
    """A prompt of a subject; None where there is none of that number, or it is another's."""
    found = _rows(connection, prompts.c.subject == subject, prompts.c.id == prompt)
    return found[0] if found else None


def waiting(connection: Connection, subject: str) -> list[PromptRow]:
    """The prompts that wait for an answer as far as is written down, in the order in which they fell due."""
    return _rows(connection, prompts.c.subject == subject, prompts.c.state.in_(_WAITING))


def between(
    connection: Connection,
    subject: str,
    start: datetime,
    end: datetime,
    horizons: Horizons = NOTHING_AGES,
    hidden: Iterable[Stretch] = (),
) -> list[PromptRow]:
    """The prompts of [start, end) but of no hidden stretch, in order, without those past their retention."""
    mine = (prompts.c.subject == subject, prompts.c.scheduled_at >= start, prompts.c.scheduled_at < end)
    return _rows(connection, *mine, *outside(prompts.c.scheduled_at, hidden), readable(prompts, horizons))


def between_each(
    connection: Connection,
    starts: Mapping[str, datetime],
    end: datetime,
    horizons: Horizons = NOTHING_AGES,
    hidden: Mapping[str, Sequence[Stretch]] = NOTHING_HIDDEN,
) -> dict[str, list[PromptRow]]:
    """`between` of many subjects with one query; those without a prompt are not there.

    Parameters
    ----------
    starts
        From when on, by subject.
    hidden
        What each of them hides.
    """
    if not starts:
        return {}
    columns: list[Any] = [prompts.c.subject, prompts.c.id, prompts.c.zone, *(prompts.c[n] for n in _FIELDS)]
    query = (
        select(*columns)
        .where(prompts.c.subject.in_(sorted(starts)), prompts.c.scheduled_at >= min(starts.values()))
        .where(prompts.c.scheduled_at < end, readable(prompts, horizons))
        .order_by(prompts.c.scheduled_at, prompts.c.id)
    )
    found: dict[str, list[PromptRow]] = {}
    for subject, number, zone, *rest in connection.execute(query):
        prompt = Prompt(**dict(zip(_FIELDS, rest, strict=True)))
        at = prompt.scheduled_at
        if at >= starts[subject] and not any(s.start <= at < s.end for s in hidden.get(subject, ())):
            found.setdefault(subject, []).append(PromptRow(number, zone, prompt))
    return found


def put_of(connection: Connection, permit: Permit, subject: str, schedule: str, since: datetime) -> int:
    """How many prompts after events one schedule has put since an instant."""
    permit.demand(Use.PROMPT)
    query = (
        select(func.count())
        .select_from(prompts)
        .where(
            prompts.c.subject == subject,
            prompts.c.notified_at >= since,
            prompts.c.slot.startswith(f"{schedule}@", autoescape=True),
        )
    )
    return connection.execute(query).scalar_one()


def take(
    connection: Connection,
    permit: Permit,
    row: PromptRow,
    step: Step,
    at: datetime,
    because: Because | None = None,
    *,
    known: datetime | None = None,
) -> PromptRow:
    """Take one step of a prompt; the row is known to be of the permit's person.

    Raises
    ------
    IllegalStepError
        When it cannot happen from there.
    PromptMovedError
        When another transaction was faster.
    """
    permit.demand(Use.PROMPT)
    after = advance(row.prompt, step, at, because, known=known)
    moved = {name: getattr(after, name) for name in _MOVES}
    where = (prompts.c.id == row.id, prompts.c.state == row.prompt.state)
    if connection.execute(update(prompts).where(*where).values(moved)).rowcount != 1:
        raise PromptMovedError(f"prompt {row.id} is not {recorded_state(row.prompt).value} any more")
    return replace(row, prompt=after)


def first_face(
    connection: Connection, permit: Permit, subject: str, since: datetime, until: datetime
) -> datetime | None:
    """When a face of the subject was seen first in (since, until], or None."""
    permit.demand(Use.STORE_SERIES)
    seen = (observations.c.subject == subject, observations.c.reason.is_(None))
    query = select(func.min(observations.c.at)).where(
        *seen, observations.c.at > max(since, permit.covers_from), observations.c.at <= until
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def add_zone(
    connection: Connection, permit: Permit, subject: str, zone: str, since: datetime, now: datetime
) -> None:
    """Note where a participant is from an instant on."""
    permit.demand(Use.PROMPT)
    permit.demand_covers(since)
    connection.execute(
        zones.insert().values(
            subject=subject, zone=zone, since=since, grant_id=permit.grant(Scope.PROMPTS), recorded_at=now
        )
    )


def zones_of(
    connection: Connection, subject: str, horizons: Horizons = NOTHING_AGES
) -> list[tuple[datetime, str]]:
    """Where a participant said that they were, each with its instant, in order."""
    query = (
        select(zones.c.since, zones.c.zone)
        .where(zones.c.subject == subject, readable(zones, horizons))
        .order_by(zones.c.since, zones.c.id)
    )
    return [(since, zone) for since, zone in connection.execute(query)]


def _rows(connection: Connection, *where: ColumnElement[bool]) -> list[PromptRow]:
    columns: list[Any] = [prompts.c.id, prompts.c.zone, *(prompts.c[name] for name in _FIELDS)]
    query = select(*columns).where(*where).order_by(prompts.c.scheduled_at, prompts.c.id)
    return [
        PromptRow(number, zone, Prompt(**dict(zip(_FIELDS, rest, strict=True))))
        for number, zone, *rest in connection.execute(query)
    ]
