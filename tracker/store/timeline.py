"""Reading a series back: moment by moment for a day, and the queries that a timeline page stands on.

Several networks may have read an observation. The one that read it last speaks for it, and so does the
participant's learner over that network; what the others said stays in the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Select, select

from tracker.domain.affect import Distribution
from tracker.domain.series import MACHINE, Reason
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import estimates, observations


class _Word(Protocol):
    """An estimate: a row of the table, or one that is to become one."""

    @property
    def network(self) -> str: ...

    @property
    def snapshot(self) -> int: ...


_PROBABILITIES = slice(6, None)
"""Where they stand in a row of `_with_estimates`."""

_W = TypeVar("_W", bound=_Word)


@dataclass(frozen=True, slots=True)
class Reading:
    """An observation with the word of the network that read it last, and the newest learner's over that.

    Attributes
    ----------
    observation
        Its id.
    network
        The network that read it last; None where none did.
    machine, personal
        What that network says, and what the newest learner makes of it.
    samples
        For how many observations it stands: more than one where retention made the series coarser.
    """

    observation: int
    at: datetime
    reason: Reason | None
    network: str | None
    machine: Distribution | None
    personal: Distribution | None
    samples: int = 1


def newest(words: Sequence[_W]) -> tuple[_W | None, _W | None]:
    """The words on one observation that count: the newest network's, and the newest learner's over it.

    Parameters
    ----------
    words
        All estimates of the observation, in the order in which they are stored.

    Examples
    --------
    >>> from tracker.domain.affect import Emotion
    >>> from tracker.domain.series import Estimate
    >>> sad = Distribution.said(Emotion.SADNESS)
    >>> said = [Estimate("a", sad), Estimate("a", sad, 3), Estimate("b", sad)]
    >>> [word and (word.network, word.snapshot) for word in newest(said)]
    [('b', 0), None]
    >>> [word and (word.network, word.snapshot) for word in newest(said[:2])]
    [('a', 0), ('a', 3)]
    """
    machine = next((word for word in reversed(words) if word.snapshot == MACHINE), None)
    if machine is None:
        return None, None
    own = [word for word in words if word.snapshot != MACHINE and word.network == machine.network]
    return machine, max(own, key=lambda word: word.snapshot, default=None)


def last_network(connection: Connection, subject: str) -> str | None:
    """The network whose word stands at the end of a series: the last that read its last read observation."""
    query = (
        select(estimates.c.network)
        .join(observations, estimates.c.observation == observations.c.id)
        .where(observations.c.subject == subject, estimates.c.snapshot == MACHINE)
        .order_by(observations.c.at.desc(), observations.c.id.desc(), estimates.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def readings_query(subject: str, start: datetime | None, end: datetime | None) -> Select[Any]:
    """Observations of [start, end) in order of time, each with all of its estimates as they were stored."""
    query = _with_estimates().where(observations.c.subject == subject)
    if start is not None:
        query = query.where(observations.c.at >= start)
    if end is not None:
        query = query.where(observations.c.at < end)
    return query.order_by(observations.c.at, observations.c.id, estimates.c.id)


def readings(
    connection: Connection, subject: str, start: datetime | None, end: datetime | None
) -> Iterator[Reading]:
    """Stream the readings of [start, end); either end may be open."""
    # On the statement, not on the connection: there it would stay for every statement after this one.
    query = readings_query(subject, start, end).execution_options(yield_per=2000)
    for _, rows in groupby(connection.execute(query), key=lambda row: row.id):
        yield _reading(list(rows))


def reading_of(connection: Connection, observation: int) -> Reading | None:
    """One observation with the words on it that count."""
    query = _with_estimates().where(observations.c.id == observation).order_by(estimates.c.id)
    rows = connection.execute(query).all()
    return _reading(rows) if rows else None


def _with_estimates() -> Select[Any]:
    return select(
        observations.c.id,
        observations.c.at,
        observations.c.reason,
        observations.c.samples,
        estimates.c.network,
        estimates.c.snapshot,
        *(estimates.c[c] for c in EMOTION_COLUMNS),
    ).outerjoin(estimates, estimates.c.observation == observations.c.id)


def _reading(rows: Sequence[Any]) -> Reading:
    first = rows[0]
    machine, own = newest(rows)
    return Reading(
        first.id,
        first.at,
        Reason(first.reason) if first.reason else None,
        machine.network if machine is not None else None,
        Distribution(tuple(machine[_PROBABILITIES])) if machine is not None else None,
        Distribution(tuple(own[_PROBABILITIES])) if own is not None else None,
        first.samples,
    )


def subject_of(connection: Connection, observation: int) -> str | None:
    """Whose observation this is."""
    query = select(observations.c.subject).where(observations.c.id == observation)
    return connection.execute(query).scalar_one_or_none()
