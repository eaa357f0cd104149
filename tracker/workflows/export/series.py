"""One person's rows of the table `series`: all that was said of each moment, at the raw rate or in windows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.series import CONTEXT_HOLDS, MACHINE
from tracker.store.exporting import SERIES_COLUMNS
from tracker.workflows.export.as_of_now import LearnerNow
from tracker.workflows.export.frames import Frame, Who, columns_of, common, derived, ids, instant, origins
from tracker.workflows.export.shapes import (
    BESIDE_S,
    CONTEXT,
    MEASURES,
    SAID,
    SECOND_US,
    SPEAKERS,
    TARGETS,
    Shape,
    column,
)
from tracker.workflows.export.tables import LEARNER, LEARNER_NOW, NETWORK

_N = len(EMOTIONS)
_P = MEASURES[:_N]
_HOLDS_US = int(CONTEXT_HOLDS.total_seconds()) * SECOND_US
Unread = Callable[[str], frozenset[Emotion]]
"""What a network does not read."""


def _all_read(_: str) -> frozenset[Emotion]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a participant said, where it stands."""

    at_us: int
    target: str
    value: float | None
    probabilities: tuple[float, ...] | None
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What was said beside the estimates of one person, each in order of its instant.

    Attributes
    ----------
    contexts
        Instants (microseconds), place, activity and company, and whether a file of another program says so.
    """

    answers: tuple[Answer, ...] = ()
    contexts: tuple[tuple[int, str | None, str | None, str | None, bool], ...] = ()


@dataclass
class _Rows:
    """Moments with sums of what was said in each, so that windows can be put together from pieces.

    `heard` is how often the network said something of each emotion, (n, 8): one that it does not read is no 0.
    """

    at: NDArray[np.int64]
    zones: list[str]
    observations: NDArray[np.int64]
    read: NDArray[np.int64]
    imported: NDArray[np.bool_]
    heard: NDArray[np.float64]
    weight: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    total: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def cut(self, start: int, end: int) -> _Rows:
        """Some of the rows."""
        return _Rows(
            self.at[start:end],
            self.zones[start:end],
            self.observations[start:end],
            self.read[start:end],
            self.imported[start:end],
            self.heard[start:end],
            {s: v[start:end] for s, v in self.weight.items()},
            {s: v[start:end] for s, v in self.total.items()},
        )

    def then(self, other: _Rows) -> _Rows:
        """These and others after them."""
        return _Rows(
            np.concatenate([self.at, other.at]),
            self.zones + other.zones,
            np.concatenate([self.observations, other.observations]),
            np.concatenate([self.read, other.read]),
            np.concatenate([self.imported, other.imported]),
            np.concatenate([self.heard, other.heard]),
            {s: np.concatenate([v, other.weight[s]]) for s, v in self.weight.items()},
            {s: np.concatenate([v, other.total[s]]) for s, v in self.total.items()},
        )


def frames(
    batches: Iterable[Sequence[Any]],
    who: Who,
    around: Around,
    now: LearnerNow | None,
    shape: Shape,
    every_s: int | None,
    unread: Unread = _all_read,
    imported: Collection[int] = (),
) -> Iterator[Frame]:
    """The person's rows of the table.

    Parameters
    ----------
    batches
        As `exporting.series_rows` gives them.
    who, around, now
        How the dataset calls them, what they said, and their learner.
    shape, every_s
        Wide or long; the length of a window in seconds, None for the raw rate.
    unread
        What a network does not read: its 0 is missing, and no part of a mean.
    imported
        Observations that a file of another program brought.
    """
    brought = np.fromiter(imported, np.int64, len(imported))
    size = every_s * SECOND_US if every_s is not None else None
    waiting: _Rows | None = None
    held: list[Any] = []
    for batch, last in _peeked(batches):
        rows = [*held, *batch]
        # What was said of the last observation may go on in the next batch.
        start = len(rows)
        while not last and start and rows[start - 1][0] == rows[-1][0]:
            start -= 1
        rows, held = (rows, []) if last else (rows[:start], rows[start:])
        if rows:
            found = _moments(rows, now, brought, unread)
            found = found if size is None else _windows(found, size)
            waiting = found if waiting is None else waiting.then(found)
            waiting = waiting if size is None else _windows(waiting, size)
        if waiting is not None and len(waiting) > (0 if last else 1):
            # The last row waits: the next one says where it ends.
            whole = len(waiting) if last else len(waiting) - 1
            until = None if last else int(waiting.at[whole])
            yield _told(waiting.cut(0, whole), until, who, around, shape, size)
            waiting = waiting.cut(whole, len(waiting))


def _peeked(batches: Iterable[Sequence[Any]]) -> Iterator[tuple[Sequence[Any], bool]]:
    """Each batch, and whether it is the last."""
    before: Sequence[Any] | None = None
    for batch in batches:
        if before is not None:
            yield before, False
        before = batch
    if before is not None:
        yield before, True


def _moments(
    rows: Sequence[Any], now: LearnerNow | None, brought: NDArray[np.int64], unread: Unread
) -> _Rows:
    c = columns_of(rows, SERIES_COLUMNS)
    number = ids(c["id"])
    first = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    place = np.cumsum(np.concatenate([[0], (number[1:] != number[:-1]).astype(np.int64)]))
    said = np.array([s is not None for s in c["snapshot"]])
    snapshot = ids(c["snapshot"])
    each = np.column_stack([np.array(c[name], dtype=np.float64) for name in _P])
    samples = ids(c["samples"]).astype(np.float64)
    n = len(first)
    found = _Rows(
        ids(c["at"])[first],
        [c["zone"][i] for i in first],
        ids(c["stands_for"])[first],
        np.zeros(n, np.int64),
        np.isin(number[first], brought),
        np.zeros((n, _N)),
    )
    for speaker, mine in (
        (NETWORK, said & (snapshot == MACHINE)),
        (LEARNER, said & (snapshot != MACHINE)),
    ):
        weight, total = np.zeros(n), np.zeros((n, _N))
        rank = np.flatnonzero(mine)
        # Of several the last one stays: later assignments to one place overwrite earlier ones.
        weight[place[rank]] = samples[rank]
        total[place[rank]] = each[rank] * samples[rank, None]
        found.weight[speaker], found.total[speaker] = weight, total
        if speaker == NETWORK:
            found.heard[place[rank]] = samples[rank, None] * _reads(each[rank], c["network"], rank, unread)
    found.read = found.weight[NETWORK].astype(np.int64)
    weight, total = np.zeros(n), np.zeros((n, _N))
    if now is not None:
        asked = np.flatnonzero((found.weight[NETWORK] > 0) & (found.at >= now.since_us))
        if len(asked):
            w = found.weight[NETWORK][asked]
            readings = found.total[NETWORK][asked] / w[:, None]
            weight[asked] = w
            total[asked] = (
                now.says(found.at[asked].tolist(), [found.zones[i] for i in asked], readings) * w[:, None]
            )
    found.weight[LEARNER_NOW], found.total[LEARNER_NOW] = weight, total
    return found


def _reads(
    said: NDArray[np.float64], networks: Sequence[str], rank: NDArray[np.int64], unread: Unread
) -> NDArray[np.float64]:
    """1 where a network says something of an emotion, 0 where it does not read it."""
    by = [networks[i] for i in rank]
    column_of = {network: k for k, network in enumerate(sorted(set(by)))}
    gone = np.array([[e in unread(network) for e in EMOTIONS] for network in column_of], dtype=np.bool_)
    if not gone.any():
        return np.ones((len(by), _N))
    return np.where(gone[[column_of[network] for network in by]] & (said == 0), 0.0, 1.0)


def _windows(rows: _Rows, size: int) -> _Rows:
    """Rows of one window added up."""
    start = rows.at // size * size
    first = np.flatnonzero(np.concatenate([[True], start[1:] != start[:-1]]))
    if len(first) == len(rows):
        rows.at = start
        return rows
    return _Rows(
        start[first],
        [rows.zones[i] for i in first],
        np.add.reduceat(rows.observations, first),
        np.add.reduceat(rows.read, first),
        np.logical_or.reduceat(rows.imported, first),
        np.add.reduceat(rows.heard, first, axis=0),
        {s: np.add.reduceat(v, first) for s, v in rows.weight.items()},
        {s: np.add.reduceat(v, first, axis=0) for s, v in rows.total.items()},
    )


def _told(
    rows: _Rows,
    until: int | None,
    who: Who,
    around: Around,
    shape: Shape,
    size: int | None,
) -> Frame:
    at = rows.at.tolist()
    imported = rows.imported.copy()
    beside = [_beside(at, until, answer, size) for answer in around.answers if answer.imported]
    imported[[i for i in beside if i is not None]] = True
    around_it = _around(at, around)
    imported[[i for i, c in enumerate(around_it) if c is not None and c[4]]] = True
    frame: Frame = {
        **common(who, len(rows), rows.zones),
        **origins(who, imported.tolist()),
        **instant("at", rows.zones, at),
        "n_observations": pa.array(rows.observations),
        "n_read": pa.array(rows.read),
    }
    for speaker in SPEAKERS:
        there = rows.weight[speaker] > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.clip(rows.total[speaker] / rows.weight[speaker][:, None], 0.0, 1.0)
        ours: Frame = {name: mean[:, k] for k, name in enumerate(_P)}
        ours |= derived(ours)
        if speaker == NETWORK:
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.clip(rows.total[speaker] / rows.heard, 0.0, 1.0)
        for k, name in enumerate(_P):
            missing = ~there if speaker != NETWORK else rows.heard[:, k] == 0
            ours[name] = pa.array(np.ascontiguousarray(mean[:, k]), mask=missing)
        frame |= {column(speaker, name): ours[name] for name in MEASURES}
    frame |= _answers(at, until, around.answers, size)
    frame |= _contexts(at, around_it)
    return frame if shape is Shape.WIDE else _melted(frame)


def _answers(at: list[int], until: int | None, answers: Sequence[Answer], size: int | None) -> Frame:
    names = (*_P, *TARGETS)
    sums: dict[str, dict[int, list[float]]] = {name: {} for name in names}
    for answer in answers:
        if (i := _beside(at, until, answer, size)) is None:
            continue
        told: Mapping[str, float | None] = (
            dict(zip(_P, answer.probabilities, strict=True))
            if answer.probabilities is not None
            else {answer.target: answer.value}
        )
        for name, value in told.items():
            if name in sums and value is not None:
                sums[name].setdefault(i, []).append(value)
    frame = {}
    for name in names:
        values, missing = np.zeros(len(at)), np.ones(len(at), dtype=bool)
        for i, each in sums[name].items():
            values[i], missing[i] = sum(each) / len(each), False
        frame[column(SAID, name)] = pa.array(values, mask=missing)
    return frame


def _beside(at: list[int], until: int | None, answer: Answer, size: int | None) -> int | None:
    """Beside which row an answer stands."""
    i = bisect_right(at, answer.at_us) - 1
    if i < 0 or (until is not None and i == len(at) - 1 and answer.at_us >= until):
        return None
    holds = size if size is not None else BESIDE_S * SECOND_US + 1
    return i if answer.at_us - at[i] < holds else None


def _around(
    at: list[int], around: Around
) -> list[tuple[int, str | None, str | None, str | None, bool] | None]:
    """What surrounded each row."""
    instants = [c[0] for c in around.contexts]
    found = []
    for t in at:
        i = bisect_right(instants, t) - 1
        found.append(around.contexts[i] if i >= 0 and t - instants[i] <= _HOLDS_US else None)
    return found


def _contexts(
    at: list[int], found: Sequence[tuple[int, str | None, str | None, str | None, bool] | None]
) -> Frame:
    frame: Frame = {
        name: pa.array([None if c is None else c[k] for c in found], pa.string())
        for k, name in enumerate(CONTEXT, start=1)
    }
    ages = [None if c is None else (t - c[0]) / SECOND_US for t, c in zip(at, found, strict=True)]
    return frame | {"context_age_s": pa.array(ages, pa.float64())}


def _melted(wide: Frame) -> Frame:
    """A wide frame with one row for each cell that holds something, in order of the moments."""
    heads = ("participant", "at", "at_offset_min", "zone", "origin")
    cells = [
        (speaker, name, column(speaker, name))
        for speaker, names in (*((s, MEASURES) for s in SPEAKERS), (SAID, (*_P, *TARGETS)))
        for name in names
    ]
    n, k = len(wide["at"]), len(cells) + len(CONTEXT)
    there = np.zeros((n, k), dtype=bool)
    values = np.zeros((n, k))
    words: NDArray[np.object_] = np.full((n, k), None, dtype=object)
    for j, (_, _, name) in enumerate(cells):
        there[:, j] = ~np.asarray(wide[name].is_null())
        values[:, j] = np.asarray(wide[name].fill_null(0.0))
    for j, name in enumerate(CONTEXT, start=len(cells)):
        words[:, j] = wide[name].to_pylist()
        there[:, j] = ~np.asarray(wide[name].is_null())
    row, cell = np.nonzero(there)
    sources = np.array([*(s for s, _, _ in cells), *(SAID for _ in CONTEXT)], dtype=object)
    variables = np.array([*(v for _, v, _ in cells), *CONTEXT], dtype=object)
    word = cell >= len(cells)
    return {name: wide[name].take(pa.array(row)) for name in heads} | {
        "source": pa.array(sources[cell], pa.string()),
        "variable": pa.array(variables[cell], pa.string()),
        "value": pa.array(values[row, cell], mask=word),
        "text": pa.array(words[row, cell], pa.string()),
    }
