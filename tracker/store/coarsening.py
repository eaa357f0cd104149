"""Make an ageing series coarser: what many observations said becomes one row a minute, or one an hour.

A row stands for the observations of one stretch of time that were read by one network, or that were not read for
one reason; how many they were is kept (`samples`), and their estimates become means. What other networks had said of
them before is not kept. No row is inserted: the first of them is changed, so it rests on the grant on which it
was stored, and the others go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, true, update

from tracker.domain.series import MACHINE
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.summaries import summarise_again
from tracker.store.tables import (
    adjudications,
    corrections,
    crops,
    estimates,
    frames,
    observations,
    rating_gold,
    rating_tasks,
    rating_traces,
    rating_votes,
)
from tracker.store.timeline import newest
from tracker.store.types import to_microseconds

COARSE = "coarse:"
"""How the `source` of a row begins that stands for others; it is of no single recording any more."""

IMPORTED = "imported:"
"""How the kind of rows begins that come from files of other programs."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_BATCH = 5_000
"""Observations read at once, and then the rest of their stretch of time."""
_AT_ONCE = 10_000
"""Rows named in one statement."""


@dataclass(frozen=True, slots=True)
class _Word:
    """An estimate as stored, to be weighted by how many readings it stands for."""

    id: int
    network: str
    snapshot: int
    samples: int
    probabilities: tuple[float, ...]


@dataclass(slots=True)
class _Row:
    """An observation as stored, with its estimates in the order in which they were stored."""

    id: int
    at: datetime
    source: str
    reason: str | None
    faces: int
    score: float | None
    sharpness: float | None
    recorded_at: datetime
    samples: int
    imported_from: str | None = None
    words: list[_Word] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What it may be put together with: the same reason, or the word of the same network.

        What was imported is put together with nothing that was captured here.
        """
        if self.reason is not None:
            kind = self.reason
        else:
            machine, _ = newest(self.words)
            kind = "" if machine is None else hashlib.sha256(machine.network.encode()).hexdigest()[:16]
        return kind if self.imported_from is None else f"{IMPORTED}{kind}"


def count_fine(connection: Connection, before: datetime) -> int:
    """How many observations of anybody are older than an instant and not coarse yet."""
    fine = (observations.c.at < before) & ~observations.c.source.startswith(COARSE)
    return connection.execute(select(func.count()).select_from(observations).where(fine)).scalar_one()


def is_finer(connection: Connection, subject: str, before: datetime, to: str) -> bool:
    """Whether `coarsen` has anything to do."""
    end = _start(before, _LENGTHS[to])
    query = select(observations.c.id).where(_mine(subject, end), _finer(to)).limit(1)
    return connection.execute(query).first() is not None


def coarsen(connection: Connection, subject: str, before: datetime, to: str, most: int | None = None) -> int:
    """Make what is older than an instant coarser; return how many observations became part of another row.

    Only stretches of time that lie whole before the instant; those that are as coarse already stay as they are.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    subject
        Whose series.
    before
        The instant (UTC).
    to
        ``minute`` or ``hour``.
    most
        Stop after so many observations, so that others get their turn to write; None: all of them.
    """
    end = _start(before, _LENGTHS[to])
    gone, seen, first, last = 0, 0, None, None
    for start, rows in _stretches(connection, subject, end, to):
        for _, same in groupby(sorted(rows, key=lambda r: (r.kind, r.id)), key=lambda r: r.kind):
            gone += _merge(connection, list(same), start, to)
        first, last, seen = first or start, start, seen + len(rows)
        if most is not None and seen >= most:
            break
    if first is not None and last is not None:
        summarise_again(connection, subject, first, last)
    return gone


def _stretches(
    connection: Connection, subject: str, end: datetime, to: str
) -> Iterator[tuple[datetime, list[_Row]]]:
    """Each stretch of time that holds something finer, with all of its rows."""
    mine, finer, length = _mine(subject, end), _finer(to), _LENGTHS[to]
    while True:
        at = connection.execute(
            select(observations.c.at).where(mine, finer).order_by(observations.c.at).limit(1)
        ).scalar()
        if at is None:
            return
        furthest = connection.execute(
            select(observations.c.at)
            .where(mine, observations.c.at >= at)
            .order_by(observations.c.at)
            .offset(_BATCH)
            .limit(1)
        ).scalar()
        until = end if furthest is None else min(end, _start(furthest, length) + length)
        rows = _rows(connection, subject, _start(at, length), until, _wanted(to))
        for start, group in groupby(rows, key=lambda r: _start(r.at, length)):
            together = list(group)
            if any(not row.source.startswith(f"{COARSE}{to}:") for row in together):
                yield start, together


def _mine(subject: str, end: datetime) -> ColumnElement[bool]:
    return and_(observations.c.subject == subject, observations.c.at < end)


def _finer(to: str) -> ColumnElement[bool]:
    return and_(~observations.c.source.startswith(f"{COARSE}{to}:"), _wanted(to))


def _wanted(to: str) -> ColumnElement[bool]:
    # What is an hour already does not become a minute again.
    return ~observations.c.source.startswith(f"{COARSE}hour:") if to == "minute" else true()


def _rows(
    connection: Connection, subject: str, start: datetime, end: datetime, wanted: ColumnElement[bool]
) -> list[_Row]:
    o, e = observations.c, estimates.c
    query = (
        select(
            o.id,
            o.at,
            o.source,
            o.reason,
            o.faces,
            o.score,
            o.sharpness,
            o.recorded_at,
            o.samples,
            o.imported_from,
            e.id,
            e.network,
            e.snapshot,
            e.samples,
            *(e[c] for c in EMOTION_COLUMNS),
        )
        .outerjoin(estimates, e.observation == o.id)
        .where(o.subject == subject, o.at >= start, o.at < end, wanted)
        .order_by(o.at, o.id, e.id)
    )
    found: list[_Row] = []
    for _, group in groupby(connection.execute(query), key=lambda row: row[0]):
        told = list(group)
        words = [_Word(r[10], r[11], r[12], r[13], tuple(r[14:])) for r in told if r[10] is not None]
        found.append(_Row(*told[0][:10], words))
    return found


def _merge(connection: Connection, rows: Sequence[_Row], start: datetime, to: str) -> int:
    kept, rest = rows[0], [row.id for row in rows[1:]]
    machine, own = _means(rows)
    words = {word["kept"] for word in (machine, own) if word is not None}
    everything = [word.id for row in rows for word in row.words]
    _delete(connection, estimates, [number for number in everything if number not in words])
    for numbers in _batched(rest, _AT_ONCE):
        spoken_of = corrections.c.observation.in_(numbers)
        connection.execute(update(corrections).where(spoken_of).values(observation=kept.id))
    # A picture is kept for a shorter time than the series is kept whole (a rule of the study file).
    # With it goes what raters said of it; the word that was put together of theirs stays, as any other word does.
    for numbers in _batched([row.id for row in rows], _AT_ONCE):
        for table in (crops, frames, rating_votes, rating_traces, rating_tasks, rating_gold, adjudications):
            connection.execute(delete(table).where(table.c.observation.in_(numbers)))
    for word in (machine, own):
        if word is not None:
            values = {name: value for name, value in word.items() if name != "kept"}
            connection.execute(
                update(estimates).where(estimates.c.id == word["kept"]).values(observation=kept.id, **values)
            )
    _delete(connection, observations, rest)
    connection.execute(
        update(observations)
        .where(observations.c.id == kept.id)
        .values(
            source=f"{COARSE}{to}:{kept.kind}",
            pts_us=to_microseconds(start),
            at=start,
            faces=max(row.faces for row in rows),
            box_x=None,
            box_y=None,
            box_w=None,
            box_h=None,
            detector=None,
            aligned=None,
            score=_mean([(row.score, row.samples) for row in rows]),
            sharpness=_mean([(row.sharpness, row.samples) for row in rows]),
            recorded_at=max(row.recorded_at for row in rows),
            samples=sum(row.samples for row in rows),
        )
    )
    return len(rest)


def _means(rows: Sequence[_Row]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    spoken = [newest(row.words) for row in rows]
    machine = [m for m, _ in spoken if m is not None]
    own = [p for _, p in spoken if p is not None]
    return _mean_word(machine), _mean_word(own)


def _mean_word(words: Sequence[_Word]) -> dict[str, Any] | None:
    if not words:
        return None
    samples = sum(word.samples for word in words)
    sums = [sum(word.probabilities[i] * word.samples for word in words) for i in range(len(EMOTION_COLUMNS))]
    newest_word = max(words, key=lambda word: (word.snapshot, word.id))
    return {
        "kept": words[0].id,
        "snapshot": newest_word.snapshot if newest_word.snapshot != MACHINE else MACHINE,
        "samples": samples,
        **{name: total / samples for name, total in zip(EMOTION_COLUMNS, sums, strict=True)},
    }


def _mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, n) for value, n in values if value is not None]
    return sum(value * n for value, n in known) / sum(n for _, n in known) if known else None


def _delete(connection: Connection, table: Table, numbers: Sequence[int]) -> None:
    for some in _batched(numbers, _AT_ONCE):
        connection.execute(delete(table).where(table.c.id.in_(some)))


def _batched(numbers: Sequence[int], n: int) -> Iterator[Sequence[int]]:
    return (numbers[i : i + n] for i in range(0, len(numbers), n))


def _start(at: datetime, length: timedelta) -> datetime:
    return at - (at - _EPOCH) % length
