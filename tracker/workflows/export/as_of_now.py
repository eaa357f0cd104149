"""What a person's learner says of moments as it stands at the export's instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.series import MACHINE, Context
from tracker.store import exporting
from tracker.store.exporting import Cut
from tracker.store.types import from_microseconds, to_microseconds

_SNAPSHOTS = "snapshots"


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
        self._learner = learner
        # What is computed for an export rests on what may be exported: a context that may not be says nothing here.
        asked = (unit.connection, unit.person.subject, cut)
        self._contexts = [
            Context(from_microseconds(at), place, activity, company)
            for batch in (exporting.context_rows(*asked, worded) if worded is not None else ())
            for at, _, place, activity, company, _ in batch
        ]
        self._instants = [to_microseconds(context.at) for context in self._contexts]

    @classmethod
    def of(cls, unit: Unit, cut: Cut, since: datetime | None, worded: datetime | None) -> LearnerNow | None:
        """The person's; None where there is none within the cut, or it may not be exported."""
        mark = cut.marks.get(_SNAPSHOTS)
        if since is None or mark is None:
            return None
        learner = personal.as_of(unit, cut.at, mark)
        return None if learner is None else cls(unit, cut, since, worded, learner)

    def says(self, at_us: int, zone: str, probabilities: Sequence[float]) -> tuple[float, ...]:
        """The eight probabilities that it gives where a network read these."""
        at = from_microseconds(at_us)
        known = bisect_right(self._instants, at_us)
        context = personal.context_at(self._contexts[max(0, known - 1) : known], at)
        seen = self._learner.features(Distribution.from_sequence(probabilities), at, _zone(zone), context)
        return tuple(self._learner.learner.predict(seen).probabilities)


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
                rows.append(_now(last, now))
                late.append(True)
                last = None
            if row[4] == MACHINE and row[1] >= now.since_us and (last is None or row[-1] >= last[-1]):
                last = row
            rows.append(row)
            late.append(False)
        yield rows, late
    if last is not None:
        yield [_now(last, now)], [True]


def _now(row: Any, now: LearnerNow) -> tuple[Any, ...]:
    said = now.says(row[1], row[2], row[5:13])
    return (*row[:4], now.snapshot, *said, row[13], now.made_us)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
