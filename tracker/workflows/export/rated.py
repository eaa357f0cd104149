"""One person's ratings and traces: what raters said of their moments, of raters alone who agreed to research."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pyarrow as pa

from tracker.domain.rating import Verdict
from tracker.store import exporting
from tracker.store.database import Connection
from tracker.store.exporting import Cut, Truth
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.types import to_microseconds
from tracker.workflows.export.eligibility import Starts
from tracker.workflows.export.exclusions import (
    NOT_COVERED,
    NOT_IN_FORCE,
    NOT_PUBLIC,
    RATER,
    REPLACED,
    SAYS_NOTHING,
    Excluded,
)
from tracker.workflows.export.frames import (
    Frame,
    Who,
    columns_of,
    common,
    ids,
    instant,
    numbered,
    plain,
    said,
    texts,
)
from tracker.workflows.export.naming import Numbers, Pseudonyms
from tracker.workflows.export.rated_tables import RATINGS, TRACES

_RATING_NAMES = ("id", *exporting.RATING_COLUMNS)
_MEMBER, _VERDICT, _AT, _REPLACED = (_RATING_NAMES.index(n) for n in ("member", "verdict", "at", "replaced"))
_UNTOLD = frozenset({Verdict.UNCOMFORTABLE.value, Verdict.UNDONE.value})
_TRUTH = tuple(f"truth_{name}" for name in EMOTION_COLUMNS)


@dataclass(frozen=True, slots=True)
class Raters:
    """Whose answers an export may hold.

    Attributes
    ----------
    timed
        The raters who agreed to research, and of each whether how long they took may be told.
    public
        Whether it is for everybody: then it holds nobody's.
    """

    timed: Mapping[str, bool]
    public: bool = False


class Rated:
    """What raters said of one person, as frames; what is left out is counted by reason.

    Parameters
    ----------
    connection, subject, cut
        The snapshot, whose rows, and where the export ends.
    who, starts
        How the dataset calls the person, and from when on what raters said may be exported.
    names, numbers
        The export's names, and the numbers of its rows.
    raters
        Whose answers it may hold.
    """

    def __init__(
        self,
        connection: Connection,
        subject: str,
        cut: Cut,
        who: Who,
        starts: Starts,
        names: Pseudonyms,
        numbers: Mapping[str, Numbers],
        raters: Raters,
    ) -> None:
        self._asked = (connection, subject, cut)
        self._who, self._names, self._numbers, self._raters = who, names, numbers, raters
        self._since = None if starts.ratings is None else to_microseconds(starts.ratings)
        self._hidden = [(to_microseconds(h.start), to_microseconds(h.end)) for h in cut.hidden]
        self.excluded: Excluded = Excluded()
        self.of_raters: Counter[str] = Counter()
        self.seen: set[str] = set()

    def ratings(self) -> Iterator[Frame]:
        """The rows of the table `ratings`."""
        if not exporting.rated(*self._asked):
            return
        truths = exporting.truths(*self._asked)
        for batch in exporting.rating_rows(*self._asked):
            rows = [row for row in batch if self._may(row)]
            if rows:
                yield self._ratings(rows, truths)

    def traces(self) -> Iterator[Frame]:
        """The rows of the table `traces`."""
        if not exporting.rated(*self._asked):
            return
        for batch in exporting.trace_rows(*self._asked):
            for row in batch:
                if frame := self._trace(dict(zip(exporting.TRACE_COLUMNS, row, strict=True))):
                    yield frame

    def _may(self, row: Sequence[Any]) -> bool:
        why = REPLACED if row[_REPLACED] else self._why_not(row[_AT], row[_MEMBER])
        if why is None and row[_VERDICT] in _UNTOLD:
            why = SAYS_NOTHING
        if why is not None:
            self.excluded[RATINGS.name, why] += 1
        return why is None

    def _why_not(self, at: int, rater: str) -> str | None:
        if self._since is None:
            return NOT_PUBLIC if self._raters.public else NOT_IN_FORCE
        if at < self._since:
            return NOT_COVERED
        return None if rater in self._raters.timed else RATER

    def _ratings(self, rows: Sequence[Any], truths: Mapping[int, Truth]) -> Frame:
        c = columns_of(rows, _RATING_NAMES)
        n, timed = len(rows), self._raters.timed
        c["response_ms"] = tuple(
            ms if timed[member] else None for ms, member in zip(c["response_ms"], c["member"], strict=True)
        )
        c["item"] = c["kind"]
        held = [truths.get(observation) for observation in c["observation"]]
        c["truth"] = tuple(None if t is None else t.source for t in held)
        c["truth_verdict"] = tuple(None if t is None else t.verdict for t in held)
        for k, name in enumerate(_TRUTH):
            c[name] = tuple(
                None if t is None or t.probabilities is None else t.probabilities[k] for t in held
            )
        raters = self._named(c["member"])
        return {
            **common(self._who, n, c["zone"]),
            **instant("at", c["zone"], c["at"]),
            **plain(
                c,
                RATINGS,
                (
                    "item",
                    "verdict",
                    *EMOTION_COLUMNS,
                    "valence",
                    "arousal",
                    "response_ms",
                    "truth",
                    "truth_verdict",
                    *_TRUTH,
                ),
            ),
            **{name: said(c[name]) for name in ("suggestion_shown", "random", "gold")},
            "rating": pa.array(self._numbers["ratings"].add(ids(c["id"]))),
            "observation": pa.array(self._numbers["observations"].find(ids(c["observation"]))),
            "rater": texts(raters),
            **instant("recorded_at", c["zone"], c["recorded_at"]),
        }

    def _trace(self, row: Mapping[str, Any]) -> Frame | None:
        shown = [s for s in row["samples"] if not any(start <= s[0] < end for start, end in self._hidden)]
        told = []
        for sample, number in zip(shown, count(1), strict=False):
            why = self._why_not(sample[0], row["member"])
            if why is None:
                told.append((*sample, number))
            else:
                self.excluded[TRACES.name, why] += 1
        if not told:
            return None
        n = len(told)
        ats, values, observations, numbers = zip(*told, strict=True)
        zones = [row["zone"]] * n
        [number] = self._numbers["traces"].add(ids([0]))
        [rater] = self._named([row["member"]], count=False)
        return {
            **common(self._who, n, zones),
            **instant("at", zones, ats),
            "trace": pa.array([int(number)] * n, pa.int64()),
            "sample": pa.array(numbers, pa.int64()),
            "observation": numbered(self._numbers["observations"].find(ids(observations))),
            "rater": texts([rater] * n),
            "dimension": texts([row["dimension"]] * n),
            "value": pa.array(values, pa.float64()),
            "lag_s": pa.array([row["lag_s"]] * n, pa.float64()),
            **instant("recorded_at", zones, [row["recorded_at"]] * n),
        }

    def _named(self, members: Sequence[str], *, count: bool = True) -> list[str]:
        names = [self._names.rater(member) for member in members]
        self.seen.update(names)
        if count:
            self.of_raters.update(names)
        return names


def still_allowed(now: Mapping[str, bool], planned: Mapping[str, bool]) -> bool:
    """Whether raters allow now at least what was planned with.

    Examples
    --------
    >>> still_allowed({"kim": True, "lee": False}, {"kim": False}), still_allowed({"kim": False}, {"kim": True})
    (True, False)
    """
    return all(rater in now and now[rater] >= timed for rater, timed in planned.items())


def allowed(connection: Connection, cut: Cut, notice: str) -> dict[str, bool]:
    """The raters who agreed to research at the export's instant and do now, and of each whether times may be told.

    Parameters
    ----------
    notice
        SHA-256 of the one that stands: only what was said under it counts now.
    """
    then = exporting.allowing_research(connection, cut)
    now = exporting.allowing_research(connection, cut, notice)
    return {member: timed and now[member] for member, timed in then.items() if member in now}
