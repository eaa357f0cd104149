"""What a person's learner says of moments as it stands at the export's instant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker import personal
from tracker.access import Unit
from tracker.domain.series import CONTEXT_HOLDS, MACHINE, Context
from tracker.learning.features import MAX_CONTEXT_AGE_S, ContextAt, Moment, features
from tracker.learning.learner import EmotionLearner
from tracker.learning.predicting import predict_many
from tracker.personal.contexts import AGE
from tracker.store import exporting
from tracker.store.exporting import Cut
from tracker.store.types import from_microseconds, to_microseconds
from tracker.workflows.export.frames import offsets

_SNAPSHOTS = "snapshots"
_SECOND_US, _DAY_S, _THURSDAY, _SATURDAY = 1_000_000, 86_400, 3, 5
_HOLDS_US = int(CONTEXT_HOLDS.total_seconds()) * _SECOND_US
_P = slice(5, 13)

Floats = NDArray[np.float64]


class LearnerNow:
    """A learner with the contexts that it sees.

    Parameters
    ----------
    unit
        A reading unit on the person.
    cut
        Where the export ends: the newest state within it answers.
    since
        From which instant on learners' estimates may be exported.
    worded
        From which instant on contexts may be; None: none are read for it.
    """

    def __init__(
        self, unit: Unit, cut: Cut, since: datetime, worded: datetime | None, learner: personal.Personal
    ) -> None:
        self.snapshot = learner.snapshot.id
        self.made_us = to_microseconds(learner.snapshot.created_at)
        self.since_us = to_microseconds(since)
        assert isinstance(learner.learner, EmotionLearner)
        self._learner, covered = learner.learner, learner.snapshot.context_since
        # What is computed for an export rests on what may be exported: a context that may not be says nothing here.
        asked = (unit.connection, unit.person.subject, cut)
        self._contexts = [
            Context(from_microseconds(at), place, activity, company)
            for batch in (exporting.context_rows(*asked, worded) if worded is not None else ())
            for at, _, place, activity, company, *_ in batch
        ]
        self._instants = np.array([to_microseconds(context.at) for context in self._contexts], dtype=np.int64)
        self._named = [_named(c) if covered is not None and c.at >= covered else {} for c in self._contexts]

    @classmethod
    def of(cls, unit: Unit, cut: Cut, since: datetime | None, worded: datetime | None) -> LearnerNow | None:
        """The person's; None where there is none within the cut, or it may not be exported."""
        mark = cut.marks.get(_SNAPSHOTS)
        if since is None or mark is None:
            return None
        learner = personal.as_of(unit, cut.at, mark)
        return None if learner is None else cls(unit, cut, since, worded, learner)

    def says(self, at_us: Sequence[int], zones: Sequence[str], readings: Floats) -> Floats:
        """The probabilities (N, 8) that it gives where a network read these, at some instants in some zones."""
        at = np.asarray(at_us, dtype=np.int64)
        local_s = at // _SECOND_US + offsets(zones, at) * 60
        second = local_s % _DAY_S
        weekday = (local_s // _DAY_S + _THURSDAY) % 7
        angle = 2 * math.pi * (second // 3600 + second // 60 % 60 / 60 + second % 60 / 3600) / 24
        rest: dict[str, Any] = {
            "read": 1.0,
            "hour_sin": np.fromiter(map(math.sin, angle.tolist()), np.float64, len(at)),
            "hour_cos": np.fromiter(map(math.cos, angle.tolist()), np.float64, len(at)),
            "day=weekend": (weekday >= _SATURDAY).astype(np.float64),
            "day=weekday": (weekday < _SATURDAY).astype(np.float64),
        }
        return predict_many(self._learner, readings, rest | self._around(at))

    def _around(self, at: NDArray[np.int64]) -> dict[str, Floats]:
        """What surrounded the face: the last context of at most two hours before, as columns."""
        found: dict[str, Floats] = {}
        if not self._contexts:
            return found
        last = np.searchsorted(self._instants, at, side="right") - 1
        age = at - self._instants[np.maximum(last, 0)]
        last = np.where((last >= 0) & (age <= _HOLDS_US), last, -1)
        for i in np.unique(last[last >= 0]).tolist():
            mine = last == i
            for name in self._named[i]:
                column = found.setdefault(name, np.zeros(len(at)))
                column[mine] = 1.0 if name != AGE else age[mine] / _SECOND_US / MAX_CONTEXT_AGE_S
        return found


def woven(batches: Iterator[Sequence[Any]], now: LearnerNow) -> Iterator[tuple[list[Any], list[bool]]]:
    """Estimate rows with what the learner says now put behind those of each observation.

    Parameters
    ----------
    batches
        As `exporting.estimate_rows` gives them: id, at, zone, network, snapshot, eight probabilities, samples,
        recorded_at.

    Yields
    ------
    tuple
        Rows, and of each whether it is the learner's of now.
    """
    last: Any = None
    for batch in batches:
        rows: list[Any] = []
        late: list[bool] = []
        for row in batch:
            if last is not None and row[0] != last[0]:
                rows.append(last)
                late.append(True)
                last = None
            if row[4] == MACHINE and row[1] >= now.since_us and (last is None or row[-1] >= last[-1]):
                last = row
            rows.append(row)
            late.append(False)
        yield _said(rows, late, now), late
    if last is not None:
        yield _said([last], [True], now), [True]


def _said(rows: list[Any], late: Sequence[bool], now: LearnerNow) -> list[Any]:
    """The rows in which the network's words are replaced by the learner's where these are meant."""
    places = [i for i, is_late in enumerate(late) if is_late]
    if not places:
        return rows
    asked = [rows[i] for i in places]
    readings = np.array([row[_P] for row in asked], dtype=np.float64)
    said = now.says([row[1] for row in asked], [row[2] for row in asked], readings).tolist()
    for i, row, each in zip(places, asked, said, strict=True):
        rows[i] = (*row[:4], now.snapshot, *each, row[13], now.made_us)
    return rows


def _named(context: Context) -> Mapping[str, float]:
    """The features that a context brings, whatever their values."""
    at = ContextAt(context.place, context.activity, context.company, 0.0)
    without = features(None, Moment(0.0, 0))
    return {name: v for name, v in features(None, Moment(0.0, 0, at)).items() if name not in without}
