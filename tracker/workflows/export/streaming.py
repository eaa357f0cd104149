"""Stream one person's rows, from one snapshot of the database, into the tables of an export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tracker.access import Unit
from tracker.domain.prompting import told_at
from tracker.domain.series import Prompt
from tracker.store import exporting, imported
from tracker.store.exporting import Cut
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.types import from_microseconds, to_microseconds
from tracker.workflows.export import beeps, series, standing, tables, zones
from tracker.workflows.export.anonymising import KINDS, Veil
from tracker.workflows.export.as_of_now import LearnerNow, woven
from tracker.workflows.export.columns import IMPORTED
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.eligibility import Starts
from tracker.workflows.export.exclusions import Excluded, excluded
from tracker.workflows.export.exclusions import imported as of_imported
from tracker.workflows.export.frames import (
    Frame,
    Who,
    columns_of,
    common,
    derived,
    ids,
    instant,
    numbered,
    origins,
    plain,
    said,
    sources,
    texts,
)
from tracker.workflows.export.naming import Numbers, Pseudonyms
from tracker.workflows.export.rated import Rated, Raters
from tracker.workflows.export.rated_tables import RATINGS, TRACES
from tracker.workflows.export.shapes import SERIES, Asked
from tracker.workflows.export.tables import ABOUT_ALL
from tracker.workflows.export.unread import Unread
from tracker.workflows.export.writing import TableWriter

_ESTIMATE_COLUMNS = ("id", "at", "zone", "network", "snapshot", *EMOTION_COLUMNS, "samples", "recorded_at")
_PROMPT_TIMES = ("notified_at", "started_at", "completed_at", "pushed_at")
_TIMES = ("scheduled_at", *_PROMPT_TIMES, "expires_at", "ended_at")


_COUNTED = tuple(table for table in tables.TABLES if table not in ABOUT_ALL)
_NUMBERED = ("observations", "corrections", "contexts", "prompts", "drifts", "ratings", "traces")


@dataclass
class Tables:
    """The open tables of an export, its people with what is told of each, and the numbers given out so far.

    Attributes
    ----------
    raters
        How many corrections each rater said of each participant.
    rated
        How many ratings each rater of the study gave of each participant.
    beeps
        Where rows of prompts go one by one; None where no format asks for them.
    imported
        How many rows of each table came, or hold anything that came, by way of other programs' files.
    """

    writers: dict[str, TableWriter]
    people: list[dict[str, Any]] = field(default_factory=list)
    networks: set[str] = field(default_factory=set)
    numbers: dict[str, Numbers] = field(default_factory=lambda: {n: Numbers() for n in _NUMBERED})
    raters: dict[str, Counter[str]] = field(default_factory=dict)
    rated: dict[str, Counter[str]] = field(default_factory=dict)
    beeps: beeps.BeepFile | None = None
    imported: Counter[str] = field(default_factory=Counter)

    def state(self) -> dict[str, Any]:
        """Where they stand between two participants, as JSON."""
        return {
            "writers": {name: w.state() for name, w in self.writers.items() if w.table not in ABOUT_ALL},
            "networks": sorted(self.networks),
            "numbers": {name: n.last for name, n in self.numbers.items()},
            "raters": {rater: dict(n) for rater, n in self.raters.items()},
            "rated": {rater: dict(n) for rater, n in self.rated.items()},
            "beeps": self.beeps.state() if self.beeps is not None else None,
            "imported": dict(self.imported),
        }

    def go_on(self, left: Mapping[str, Any]) -> None:
        """Continue what `state` told; the writers were made from it already."""
        self.networks = set(left["networks"])
        for name, last in left["numbers"].items():
            self.numbers[name].last = last
        self.raters = {rater: Counter(n) for rater, n in left["raters"].items()}
        self.rated = {rater: Counter(n) for rater, n in left["rated"].items()}
        self.imported = Counter(left["imported"])

    def write(self, table: Table, frame: Frame) -> None:
        """Write a frame."""
        self.writers[table.name].write([frame[c.name] for c in table.columns])
        if "origin" in frame and table not in ABOUT_ALL:
            brought = pc.sum(pc.equal(frame["origin"], IMPORTED)).as_py()
            self.imported += Counter({table.name: brought or 0})


class Stream:
    """One person's way into the tables.

    Parameters
    ----------
    unit
        A reading unit: one snapshot for all of the person's rows.
    who, starts
        How the dataset calls them, and from when on what may be exported.
    cut
        Where the export ends.
    names
        The export's pseudonyms.
    into
        The open tables.
    veil
        How zones are told; None where they are told as they are.
    asked
        What is made beside the tables.
    raters
        Whose answers it may hold; None: nobody's.
    """

    def __init__(
        self,
        unit: Unit,
        who: Who,
        starts: Starts,
        cut: Cut,
        names: Pseudonyms,
        into: Tables,
        veil: Veil | None = None,
        asked: Asked | None = None,
        raters: Raters | None = None,
    ) -> None:
        self._unit, self._asked = unit, asked or Asked()
        self._made_now = 0
        self._imported: set[int] = set()
        self._granted = starts
        self._prompted: list[dict[str, Any]] = []
        self._corrected: list[dict[str, Any]] = []
        self._surrounded: list[tuple[int, str | None, str | None, str | None, bool]] = []
        self._connection, self._person = unit.connection, zones.then(unit, cut, starts)
        self._horizons = unit.horizons()
        self._who, self._starts, self._names, self._into = who, starts, names, into
        self._cut = cut.without(starts.hidden)
        self._veil, self._raters = veil, raters or Raters({})
        self._unread = Unread(self._connection, self._person.subject, self._cut)

    def run(self, report: Callable[[float], None]) -> Excluded:
        """Write everything; return how many rows consent left out, by table and reason.

        `report` hears how much of the person is done, 0 to 1.
        """
        for numbers in self._into.numbers.values():
            numbers.begin()
        for writer in self._into.writers.values():
            writer.begin(self._who.pseudonym)
        before = {name: writer.rows for name, writer in self._into.writers.items()}
        first = self._into.numbers["observations"].last
        there = exporting.counts(self._connection, self._person.subject, self._cut, self._horizons)
        brought = self._brought(there)
        expected = 2 * max(1, there["observations"])
        starts = self._starts
        now = (
            LearnerNow.of(self._unit, self._cut, starts.learner, starts.contexts)
            if self._asked.learner_now
            else None
        )
        for done in self._observations():
            report(min(1.0, (done - first) / expected))
        for done in self._estimates(now):
            report(min(1.0, 0.5 + (done - first) / expected))
        self._prompts()
        self._corrections()
        self._contexts()
        self._drifts()
        unrated = self._ratings()
        self._series(now)
        if self._into.beeps is not None:
            rows = beeps.frame(self._into.beeps.table, self._who, self._prompted, self._corrected)
            self._into.beeps.write(rows if self._veil is None else self._veil.over(rows, self._person))
        for writer in self._into.writers.values():
            writer.end()
        self._participant(before)
        written = {name: writer.rows - before[name] for name, writer in self._into.writers.items()}
        written["estimates"] -= self._made_now  # computed for the export, so not among what is there
        return excluded(there, self._starts, written) + unrated + brought

    def _brought(self, there: dict[str, int]) -> Excluded:
        """What is left out of `there` because a file of another program brought it, or a learner learned from that."""
        if not self._cut.own_only:
            return Counter()
        mine = (self._connection, self._person.subject)
        with_it = exporting.counts(*mine, self._cut.with_imported(), self._horizons)
        if self._starts.learner is not None and imported.any_rows(*mine):
            self._starts = replace(self._starts, learner=None)
            there |= {"learner_estimates": 0, "drifts": 0}
        return of_imported(with_it, there)

    def _observations(self) -> Iterator[int]:
        since, numbers = self._starts.series, self._into.numbers["observations"]
        if since is None:
            return
        table = tables.OBSERVATIONS
        names = ("id", *exporting.OBSERVATION_COLUMNS)
        changed = {"at", "zone", "source", "aligned", "imported_from", "recorded_at"}
        kept = [n for n in exporting.OBSERVATION_COLUMNS if n not in changed]
        for rows in exporting.observation_rows(self._connection, self._person.subject, self._cut, since):
            c = columns_of(rows, names)
            named = {source: self._names.recording(self._person.id, source) for source in set(c["source"])}
            if any(c["imported_from"]):
                self._imported |= {n for n, found in zip(c["id"], c["imported_from"], strict=True) if found}
            frame = {
                **common(self._who, len(rows), c["zone"]),
                **origins(self._who, c["imported_from"]),
                **instant("at", c["zone"], c["at"]),
                **plain(c, table, kept),
                "observation": pa.array(numbers.add(ids(c["id"]))),
                "recording": texts([named[source] for source in c["source"]]),
                "aligned": said(c["aligned"]),
                **instant("recorded_at", c["zone"], c["recorded_at"]),
            }
            self._write(table, frame)
            yield numbers.last

    def _estimates(self, now: LearnerNow | None) -> Iterator[int]:
        since, learner = self._starts.series, self._starts.learner
        numbers = self._into.numbers["observations"]
        if since is None:
            return
        asked = (self._connection, self._person.subject, self._cut, since, learner)
        used = set(exporting.snapshots_used(*asked))
        if now is not None:
            used.add(now.snapshot)
        order = {snapshot: i for i, snapshot in enumerate(sorted(used), start=1)}
        stored = exporting.estimate_rows(*asked)
        batches: Iterator[tuple[Sequence[Any], list[bool] | None]] = (
            woven(stored, now) if now is not None else ((rows, None) for rows in stored)
        )
        for rows, late in batches:
            if not rows:
                continue
            self._made_now += sum(late) if late is not None else 0
            c = columns_of(rows, _ESTIMATE_COLUMNS)
            self._into.networks.update(c["network"])
            observed = numbers.find(ids(c["id"]))
            told = plain(c, tables.ESTIMATES, (*EMOTION_COLUMNS, "samples"))
            frame = {
                **common(self._who, len(rows), c["zone"]),
                **origins(
                    self._who,
                    [n in self._imported for n in c["id"]] if self._imported else [None] * len(rows),
                ),
                **instant("at", c["zone"], c["at"]),
                **sources(c["snapshot"], order, late),
                **derived(told),
                **self._unread.emptied(told, c["network"], c["snapshot"]),
                "network": texts(c["network"]),
                "observation": pa.array(observed),
                **instant("recorded_at", c["zone"], c["recorded_at"]),
            }
            self._write(tables.ESTIMATES, frame)
            yield int(observed[-1])

    def _prompts(self) -> None:
        since = self._starts.prompts
        if since is None:
            return
        names = ("id", *exporting.PROMPT_COLUMNS)
        for rows in exporting.prompt_rows(self._connection, self._person.subject, self._cut, since):
            c = columns_of([_as_of(row, names, self._cut.at) for row in rows], names)
            for name in _PROMPT_TIMES:
                c[name] = tuple(self._unless_hidden(at) for at in c[name])
            frame = {
                **common(self._who, len(rows), c["zone"]),
                **plain(c, tables.PROMPTS, ("slot", "state", "reason")),
                "random": said(c["random"]),
                "prompt": pa.array(self._into.numbers["prompts"].add(ids(c["id"]))),
            }
            if self._into.beeps is not None:
                self._prompted += standing.as_dicts(c)
            for name in ("scheduled_at", *_PROMPT_TIMES, "recorded_at"):
                frame |= instant(name, c["zone"], c[name])
            self._write(tables.PROMPTS, frame)

    def _corrections(self) -> None:
        if self._starts.series is self._starts.prompts is None:
            return
        asked = (self._connection, self._person.subject, self._cut, self._starts.series, self._starts.prompts)
        into, names = self._into.numbers, ("id", *exporting.CORRECTION_COLUMNS)
        batches = list(exporting.correction_rows(*asked))
        if self._asked.shape is not None or self._into.beeps is not None:
            self._corrected = [d for rows in batches for d in standing.as_dicts(columns_of(rows, names))]
        # All are numbered first: what a correction replaces can stand behind it in time.
        given = [into["corrections"].add(ids(row[0] for row in rows)) for rows in batches]
        for rows, numbers in zip(batches, given, strict=True):
            c = columns_of(rows, names)
            raters = [self._names.rater(r) for r in c["rater"]]
            for rater, n in Counter(raters).items():
                self._into.raters.setdefault(rater, Counter())[self._who.pseudonym] += n
            frame = {
                **common(self._who, len(rows), c["zone"]),
                **origins(self._who, c["imported_from"]),
                **instant("at", c["zone"], c["at"]),
                **plain(
                    c,
                    tables.CORRECTIONS,
                    ("target", "value", *EMOTION_COLUMNS, "intensity", "response_ms"),
                ),
                "correction": pa.array(numbers),
                "observation": numbered(into["observations"].find(ids(c["observation"]))),
                "prompt": numbered(into["prompts"].find(ids(c["prompt"]))),
                "supersedes": numbered(into["corrections"].find(ids(c["supersedes"]))),
                "rater": pa.array(raters, pa.string()),
                "suggestion_shown": said(c["suggestion_shown"]),
                **instant("recorded_at", c["zone"], c["recorded_at"]),
            }
            self._write(tables.CORRECTIONS, frame)

    def _contexts(self) -> None:
        since = self._starts.contexts
        if since is None:
            return
        for rows in exporting.context_rows(self._connection, self._person.subject, self._cut, since):
            c = columns_of(rows, exporting.CONTEXT_COLUMNS)
            if self._veil is not None:
                for name in ("place", "activity", "company"):
                    c[name] = tuple(self._veil.word(name, word, self._person) for word in c[name])
            brought = map(bool, c["imported_from"])
            self._surrounded += zip(c["at"], c["place"], c["activity"], c["company"], brought, strict=True)
            numbers = self._into.numbers["contexts"]
            frame = {
                **common(self._who, len(rows), c["zone"]),
                **origins(self._who, c["imported_from"]),
                **instant("at", c["zone"], c["at"]),
                **plain(c, tables.CONTEXTS, ("place", "activity", "company")),
                "context": pa.array(numbers.add(ids([0] * len(rows)))),
                **instant("recorded_at", c["zone"], c["recorded_at"]),
            }
            self._write(tables.CONTEXTS, frame)

    def _drifts(self) -> None:
        since = self._starts.learner
        if since is None:
            return
        for rows in exporting.drift_rows(self._connection, self._person.subject, self._cut, since):
            c = columns_of(rows, exporting.DRIFT_COLUMNS)
            there, numbers = [self._zone_at(at) for at in c["at"]], self._into.numbers["drifts"]
            details = {
                name: tuple(detail[name] for detail in c["detail"]) for name in ("before", "after", "answers")
            }
            frame = {
                **common(self._who, len(rows), there),
                **instant("at", there, c["at"]),
                **plain(c | details, tables.DRIFTS, ("target", "kind", *details)),
                "drift": pa.array(numbers.add(ids([0] * len(rows)))),
                **instant("recorded_at", there, c["recorded_at"]),
            }
            self._write(tables.DRIFTS, frame)

    def _ratings(self) -> Excluded:
        found = Rated(
            self._connection,
            self._person.subject,
            self._cut,
            self._who,
            self._starts,
            self._names,
            self._into.numbers,
            self._raters,
        )
        for frame in found.ratings():
            self._write(RATINGS, frame)
        for frame in found.traces():
            self._write(TRACES, frame)
        for rater in sorted(found.seen):
            self._into.rated.setdefault(rater, Counter())[self._who.pseudonym] += found.of_raters[rater]
        return found.excluded

    def _unless_hidden(self, at: int | None) -> int | None:
        """When something was done; None where that lies in what the person hides."""
        if at is None or not self._cut.hidden:
            return at
        when = from_microseconds(at)
        return None if any(gap.start <= when < gap.end for gap in self._cut.hidden) else at

    def _zone_at(self, at: int) -> str:
        """Where they were, as their last row before says; drifts have no zone of their own."""
        found = zones.at(self._unit, self._cut, self._starts, from_microseconds(at))
        return self._person.zone if found is None else found

    def _series(self, now: LearnerNow | None) -> None:
        shape, since = self._asked.shape, self._starts.series
        if shape is None or since is None:
            return
        rows = exporting.series_rows(
            self._connection, self._person.subject, self._cut, since, self._starts.learner
        )
        around = series.Around(standing.answers(self._corrected), tuple(self._surrounded))
        every_s, brought = self._asked.every_s, self._imported
        for frame in series.frames(rows, self._who, around, now, shape, every_s, self._unread.by, brought):
            self._write(SERIES[shape], frame)

    def _participant(self, before: dict[str, int]) -> None:
        writers = self._into.writers.items()
        self._into.people.append(
            {
                "participant": self._who.pseudonym,
                "zone": self._person.zone,
                **{f"{kind}_granted": getattr(self._granted, kind) is not None for kind in KINDS},
                **{f"n_{t.name}": w.rows - before[t.name] for _, w in writers if (t := w.table) in _COUNTED},
                "origin": self._who.origin,
            }
        )

    def _write(self, table: Table, frame: Frame) -> None:
        self._into.write(table, frame if self._veil is None else self._veil.over(frame, self._person))


def _as_of(row: Sequence[Any], names: Sequence[str], at: datetime) -> Sequence[Any]:
    """A prompt as it stood at an instant: what happened later is not known yet."""
    said = dict(zip(names, row, strict=True))
    times = {n: None if said[n] is None else from_microseconds(said[n]) for n in _TIMES}
    fields: dict[str, Any] = {n: said[n] for n in ("slot", "state", "reason")} | times
    told = told_at(Prompt(**fields), at)
    known = {n: None if (t := getattr(told, n)) is None else to_microseconds(t) for n in _PROMPT_TIMES}
    return list((said | known | {"state": told.state, "reason": told.reason}).values())
