"""Queries about hidden stretches: what a participant lets nobody else see, export or learn from.

Whoever reads rows for anybody but the participant adds `unhidden` to the query; of answers,
`unhidden_correction`.
A stretch that is shown again keeps its row with the instant at which it was: an export is repeated as it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, not_, or_, select, update

from tracker.domain.stretches import Stretch
from tracker.store.feedback import insert_row
from tracker.store.tables import corrections, hidden, observations, prompts


@dataclass(frozen=True, slots=True)
class HiddenRow:
    """A hidden stretch as stored.

    Attributes
    ----------
    recorded_at, shown_at
        When it was hidden, and when it was shown again; None while it is hidden.
    """

    id: int
    stretch: Stretch
    recorded_at: datetime
    shown_at: datetime | None = None


def hide(connection: Connection, subject: str, stretch: Stretch, now: datetime) -> int:
    """Hide a stretch; return its id."""
    return insert_row(
        connection, hidden, subject=subject, starts_at=stretch.start, ends_at=stretch.end, recorded_at=now
    )


def show_again(connection: Connection, subject: str, number: int, now: datetime) -> bool:
    """Show a stretch again; False where the subject hides none of this number."""
    mine = (hidden.c.id == number, hidden.c.subject == subject, hidden.c.shown_at.is_(None))
    return connection.execute(update(hidden).where(*mine).values(shown_at=now)).rowcount > 0


def standing(connection: Connection, subject: str) -> list[HiddenRow]:
    """What a subject hides now, in order of time."""
    return _rows(connection, hidden.c.subject == subject, hidden.c.shown_at.is_(None))


def stretches(connection: Connection, subject: str) -> tuple[Stretch, ...]:
    """What a subject hides now, in order of time."""
    return tuple(row.stretch for row in standing(connection, subject))


def stretches_of(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[Stretch, ...]]:
    """What each of some subjects hides now, in order of time; those who hide nothing are not there."""
    h = hidden.c
    query = select(h.subject, h.starts_at, h.ends_at).where(h.subject.in_(subjects), h.shown_at.is_(None))
    found: dict[str, tuple[Stretch, ...]] = {}
    for subject, start, end in connection.execute(query.order_by(h.starts_at, h.id)):
        found[subject] = (*found.get(subject, ()), Stretch(start, end))
    return found


def stretches_then(connection: Connection, subject: str, at: datetime) -> tuple[Stretch, ...]:
    """What a subject hid at an instant that has passed, in order of time."""
    then = (hidden.c.recorded_at <= at, or_(hidden.c.shown_at.is_(None), hidden.c.shown_at > at))
    return tuple(row.stretch for row in _rows(connection, hidden.c.subject == subject, *then))


def unhidden(subject: ColumnElement[str], at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The condition under which a row may be read for anybody but the participant.

    Parameters
    ----------
    subject, at
        The columns of the row that say whose it is, and of which instant.
    """
    return ~select(hidden.c.id).where(hidden.c.subject == subject, *_holds(at)).exists()


def unhidden_correction() -> ColumnElement[bool]:
    """The condition under which a row of `corrections` may be read for anybody but the participant.

    Neither its moment is hidden, nor that of what it speaks of, nor when what it answers fell due.
    """
    return _of_correction(
        unhidden(corrections.c.subject, corrections.c.at),
        lambda there, at: (
            select(hidden.c.id).join(there, hidden.c.subject == there.c.subject).where(*_holds(at))
        ),
    )


def hidden_corrections(connection: Connection, subject: str) -> frozenset[int]:
    """The answers of a subject that speak of anything hidden, wherever they lie."""
    query = select(corrections.c.id).where(corrections.c.subject == subject, ~unhidden_correction())
    return frozenset(connection.execute(query).scalars())


def hides_correction(connection: Connection, correction: int) -> bool:
    """Whether an answer speaks of anything hidden: then nothing is learned from it."""
    query = select(corrections.c.id).where(corrections.c.id == correction, ~unhidden_correction())
    return connection.execute(query).first() is not None


def outside(at: ColumnElement[datetime], gaps: Iterable[Stretch]) -> list[ColumnElement[bool]]:
    """The conditions under which a row lies in none of some stretches."""
    return [or_(at < gap.start, at >= gap.end) for gap in gaps]


def outside_correction(gaps: Iterable[Stretch]) -> list[ColumnElement[bool]]:
    """The same for a row of `corrections`, with what it speaks of or answers: as `unhidden_correction` has it."""
    stretches = tuple(gaps)
    if not stretches:
        return []
    itself = and_(*outside(corrections.c.at, stretches))
    return [
        _of_correction(
            itself, lambda there, at: select(there.c.id).where(not_(and_(*outside(at, stretches))))
        )
    ]


def _of_correction(
    itself: ColumnElement[bool], hides: Callable[[FromClause, ColumnElement[datetime]], Select[Any]]
) -> ColumnElement[bool]:
    """The moment of an answer is not hidden, nor that of what it speaks of, nor when what it answers fell due.

    Parameters
    ----------
    itself
        Its own moment is not.
    hides
        The query that finds something where the moment of a row elsewhere is, given its table and that column.
    """
    seen, asked = observations.alias("hidden_seen"), prompts.alias("hidden_asked")
    return and_(
        itself,
        *(
            ~hides(there, at).where(there.c.id == points).correlate(corrections).exists()
            for there, points, at in (
                (seen, corrections.c.observation, seen.c.at),
                (asked, corrections.c.prompt, asked.c.scheduled_at),
            )
        ),
    )


def _holds(at: ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    return (and_(hidden.c.starts_at <= at, hidden.c.ends_at > at), hidden.c.shown_at.is_(None))


def _rows(connection: Connection, *conditions: ColumnElement[bool]) -> list[HiddenRow]:
    columns = (hidden.c.id, hidden.c.starts_at, hidden.c.ends_at, hidden.c.recorded_at, hidden.c.shown_at)
    query = select(*columns).where(*conditions).order_by(hidden.c.starts_at, hidden.c.id)
    return [
        HiddenRow(r.id, Stretch(r.starts_at, r.ends_at), r.recorded_at, r.shown_at)
        for r in connection.execute(query)
    ]
