"""Queries that stream a person's rows for an export: whole columns of plain numbers and texts, in order.

Instants arrive as microseconds since 1970 UTC, because building a datetime for each of millions of rows
would take longer than everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    cast,
    extract,
    func,
    or_,
    select,
    type_coerce,
)

from tracker.domain.series import MACHINE
from tracker.domain.stretches import Stretch
from tracker.store.ageing import NOTHING_AGES, Horizons, readable
from tracker.store.hiding import outside, outside_correction
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import (
    consent_log,
    contexts,
    corrections,
    drifts,
    estimates,
    observations,
    prompts,
    snapshots,
    tombstones,
)
from tracker.store.types import Instant

BATCH = 16_384
"""Rows fetched at once: a few megabytes, so memory does not grow with the series."""

CUT_TABLES = (observations, estimates, contexts, prompts, corrections, drifts)
MARKED_TABLES = (*CUT_TABLES, snapshots)

Rows = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an export ends: rows recorded after an instant, or numbered above a mark, are not in it.

    The instant alone would not do: a row can commit after the export began and yet carry an earlier
    `recorded_at`.

    Attributes
    ----------
    at
        The export's instant.
    marks
        The highest id of each table when the export began, while nobody else could write about its people.
    hidden
        Stretches that are left out as if nothing had been stored of them.
    """

    at: datetime
    marks: Mapping[str, int]
    hidden: tuple[Stretch, ...] = ()

    def of(self, table: Table) -> ColumnElement[bool]:
        """The condition on one table."""
        return and_(table.c.id <= self.marks[table.name], table.c.recorded_at <= self.at, *self._shown(table))

    def without(self, hidden: tuple[Stretch, ...]) -> Cut:
        """The same, of a person who hides some stretches."""
        return replace(self, hidden=hidden)

    def _shown(self, table: Table) -> list[ColumnElement[bool]]:
        if table is estimates:  # read beside their observations, on which this stands
            return []
        if table is corrections:
            return outside_correction(self.hidden)
        return outside(table.c.scheduled_at if table is prompts else table.c.at, self.hidden)


def marks(connection: Connection) -> dict[str, int]:
    """The highest id of each exported table, and of the learners' states."""
    return {
        table.name: connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        for table in MARKED_TABLES
    }


def log_position(connection: Connection) -> int:
    """The consent log's last position."""
    position: int = connection.execute(select(func.coalesce(func.max(consent_log.c.seq), 0))).scalar_one()
    return position


def erasures(connection: Connection) -> str:
    """What tells whether anything was erased between two looks; an export's rows may be among it."""
    erased_at = tombstones.c.erased_at
    n, last = connection.execute(select(func.count(), func.max(erased_at)).select_from(tombstones)).one()
    return f"{n} {last.isoformat() if last is not None else ''}"


def observation_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Observations from an instant on, in order: id, then the columns of `OBSERVATION_COLUMNS`."""
    query = (
        _columns(connection, observations, ("id", *OBSERVATION_COLUMNS))
        .where(observations.c.subject == subject, observations.c.at >= since, cut.of(observations))
        .order_by(observations.c.at, observations.c.id)
    )
    return _stream(connection, query)


OBSERVATION_COLUMNS = (
    "at",
    "zone",
    "source",
    "pts_us",
    "time_source",
    "reason",
    "faces",
    "box_x",
    "box_y",
    "box_w",
    "box_h",
    "detector",
    "score",
    "sharpness",
    "aligned",
    "samples",
    "recorded_at",
)


def estimate_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> Iterator[Rows]:
    """Estimates in order of their observations.

    Each row is the observation's id, at and zone, then network, snapshot, eight probabilities, samples, recorded_at.
    """
    query = (
        select(
            observations.c.id,
            _plain(connection, observations.c.at),
            observations.c.zone,
            estimates.c.network,
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
            estimates.c.samples,
            _plain(connection, estimates.c.recorded_at),
        )
        .join(estimates, estimates.c.observation == observations.c.id)
        .where(*_estimates_of(subject, cut, since, learner_since))
        .order_by(observations.c.at, observations.c.id, estimates.c.network, estimates.c.snapshot)
    )
    return _stream(connection, query)


def snapshots_used(
    connection: Connection, subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> list[int]:
    """The learner snapshots that made any of those estimates, oldest first."""
    if learner_since is None:
        return []
    query = (
        select(estimates.c.snapshot)
        .join(observations, estimates.c.observation == observations.c.id)
        .where(*_estimates_of(subject, cut, since, learner_since), estimates.c.snapshot != MACHINE)
        .distinct()
        .order_by(estimates.c.snapshot)
    )
    return list(connection.execute(query).scalars())


CONTEXT_COLUMNS = ("at", "zone", "place", "activity", "company", "recorded_at")


def series_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> Iterator[Rows]:
    """Every observation in order, as often as something was said of it, and once where nothing was.

    Each row is the observation's id, at, zone and samples, then snapshot (None where nothing was said), eight
    probabilities and samples; of what networks said of one observation the last one comes last.
    """
    kinds = _kinds(learner_since)
    query = (
        select(
            observations.c.id,
            _plain(connection, observations.c.at),
            observations.c.zone,
            observations.c.samples.label("stands_for"),
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
            estimates.c.samples,
        )
        .select_from(observations)
        .outerjoin(estimates, and_(estimates.c.observation == observations.c.id, cut.of(estimates), kinds))
        .where(observations.c.subject == subject, observations.c.at >= since, cut.of(observations))
        # Of two at one instant the same comes last that `estimate_rows` has last.
        .order_by(
            observations.c.at,
            observations.c.id,
            estimates.c.recorded_at,
            estimates.c.network,
            estimates.c.snapshot,
        )
    )
    return _stream(connection, query)


SERIES_COLUMNS = ("id", "at", "zone", "stands_for", "snapshot", *EMOTION_COLUMNS, "samples")


def targets(connection: Connection, subject: str, cut: Cut, prompted_since: datetime | None) -> set[str]:
    """What a subject answered in prompts, from an instant on; nothing where that is None."""
    if prompted_since is None:
        return set()
    query = select(corrections.c.target).where(
        corrections.c.subject == subject, cut.of(corrections), _said(None, prompted_since)
    )
    return set(connection.execute(query.distinct()).scalars())


def context_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Contexts in order: the columns of `CONTEXT_COLUMNS`."""
    query = (
        _columns(connection, contexts, CONTEXT_COLUMNS)
        .where(contexts.c.subject == subject, contexts.c.at >= since, cut.of(contexts))
        .order_by(contexts.c.at, contexts.c.id)
    )
    return _stream(connection, query)


PROMPT_COLUMNS = (
    "slot",
    "zone",
    "scheduled_at",
    "notified_at",
    "started_at",
    "completed_at",
    "state",
    "reason",
    "random",
    "expires_at",
    "ended_at",
    "recorded_at",
)


def prompt_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Prompts in order: id, then the columns of `PROMPT_COLUMNS`."""
    query = (
        _columns(connection, prompts, ("id", *PROMPT_COLUMNS))
        .where(prompts.c.subject == subject, prompts.c.scheduled_at >= since, cut.of(prompts))
        .order_by(prompts.c.scheduled_at, prompts.c.id)
    )
    return _stream(connection, query)


CORRECTION_COLUMNS = (
    "at",
    "zone",
    "observation",
    "prompt",
    "target",
    "value",
    *EMOTION_COLUMNS,
    "rater",
    "suggestion_shown",
    "intensity",
    "response_ms",
    "supersedes",
    "recorded_at",
)


def correction_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime | None, prompted_since: datetime | None
) -> Iterator[Rows]:
    """Corrections in order: id, then the columns of `CORRECTION_COLUMNS`.

    Answers to prompts have a start of their own; a start of None leaves its kind out.
    """
    query = (
        _columns(connection, corrections, ("id", *CORRECTION_COLUMNS))
        .where(corrections.c.subject == subject, cut.of(corrections), _said(since, prompted_since))
        .order_by(corrections.c.at, corrections.c.id)
    )
    return _stream(connection, query)


DRIFT_COLUMNS = ("at", "target", "kind", "detail", "recorded_at")


def drift_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Drifts in order: the columns of `DRIFT_COLUMNS`."""
    query = (
        _columns(connection, drifts, DRIFT_COLUMNS)
        .where(drifts.c.subject == subject, drifts.c.at >= since, cut.of(drifts))
        .order_by(drifts.c.at, drifts.c.id)
    )
    return _stream(connection, query)


def context_words(connection: Connection, subject: str, cut: Cut, since: datetime) -> set[tuple[str, str]]:
    """What a subject called their surroundings: pairs of a column and a word."""
    found: set[tuple[str, str]] = set()
    for name in ("place", "activity", "company"):
        column = contexts.c[name]
        query = select(column).where(
            contexts.c.subject == subject, contexts.c.at >= since, cut.of(contexts), column.is_not(None)
        )
        found |= {(name, word) for word in connection.execute(query.distinct()).scalars()}
    return found


def last_zone(
    connection: Connection,
    subject: str,
    cut: Cut,
    since: datetime | None,
    prompted_since: datetime | None,
    until: datetime | None = None,
) -> str | None:
    """The zone of a subject's last row; None where there is none.

    Parameters
    ----------
    since, prompted_since
        From when on the series counts, and prompts with their answers; None: not at all.
    until
        Up to when; None: all of them.
    """
    kinds: list[tuple[Table, Column[Any], ColumnElement[bool]]] = []
    if since is not None:
        kinds.append((observations, observations.c.at, observations.c.at >= since))
    if prompted_since is not None:
        kinds.append((prompts, prompts.c.scheduled_at, prompts.c.scheduled_at >= prompted_since))
    if kinds:
        kinds.append((corrections, corrections.c.at, _said(since, prompted_since)))
    latest: tuple[datetime, str] | None = None
    for table, when, covered in kinds:
        query = select(when, table.c.zone).where(table.c.subject == subject, covered, cut.of(table))
        if until is not None:
            query = query.where(when <= until)
        row = connection.execute(query.order_by(when.desc(), table.c.id.desc()).limit(1)).first()
        if row is not None and (latest is None or row[0] > latest[0]):
            latest = (row[0], row[1])
    return None if latest is None else latest[1]


def counts(
    connection: Connection, subject: str, cut: Cut, horizons: Horizons = NOTHING_AGES
) -> dict[str, int]:
    """How many rows a subject has in each table within the cut, whatever consent says.

    Those past the study's retention are none any more.

    Estimates of networks and of learners are counted apart, as ``estimates`` and ``learner_estimates``.
    """
    found = {
        table.name: connection.execute(_count_of(table, subject, cut, horizons)).scalar_one()
        for table in (observations, contexts, prompts, drifts)
    }
    answers = _count_of(corrections, subject, cut, horizons)
    found["corrections"] = connection.execute(
        answers.where(corrections.c.prompt.is_(None), corrections.c.rated_grant.is_(None))
    ).scalar_one()
    found["answers"] = connection.execute(answers.where(corrections.c.prompt.is_not(None))).scalar_one()
    by_network = estimates.c.snapshot == MACHINE
    said = (
        select(func.count().filter(by_network), func.count().filter(~by_network))
        .join_from(estimates, observations, estimates.c.observation == observations.c.id)
        .where(
            observations.c.subject == subject,
            cut.of(observations),
            cut.of(estimates),
            readable(estimates, horizons),
        )
    )
    found["estimates"], found["learner_estimates"] = connection.execute(said).one()
    return found


def _count_of(table: Table, subject: str, cut: Cut, horizons: Horizons) -> Select[Any]:
    mine = (table.c.subject == subject, cut.of(table), readable(table, horizons))
    return select(func.count()).select_from(table).where(*mine)


def _estimates_of(
    subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    return (
        observations.c.subject == subject,
        observations.c.at >= since,
        cut.of(observations),
        cut.of(estimates),
        _kinds(learner_since),
    )


def _kinds(learner_since: datetime | None) -> ColumnElement[bool]:
    by_network = estimates.c.snapshot == MACHINE
    return by_network if learner_since is None else or_(by_network, observations.c.at >= learner_since)


def _said(since: datetime | None, prompted_since: datetime | None) -> ColumnElement[bool]:
    kinds: list[ColumnElement[bool]] = []
    if since is not None:
        # What raters said together is not in an export: it rests on another grant.
        unasked = and_(corrections.c.prompt.is_(None), corrections.c.rated_grant.is_(None))
        kinds.append(and_(unasked, corrections.c.at >= since))
    if prompted_since is not None:
        kinds.append(and_(corrections.c.prompt.is_not(None), corrections.c.at >= prompted_since))
    return or_(*kinds)


def _columns(connection: Connection, table: Table, names: Sequence[str]) -> Select[Any]:
    return select(*(_plain(connection, table.c[name]) for name in names))


def _plain(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """A column without its type's work per row: instants as microseconds."""
    if not isinstance(column.type, Instant):
        return column
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", column) * 1_000_000, BigInteger)
    return type_coerce(column, BigInteger)


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Rows]:
    if connection.dialect.name != "sqlite" or any(isinstance(c.type, JSON) for c in query.selected_columns):
        # On PostgreSQL this is a cursor of the server's, so that memory does not grow with the series.
        yield from connection.execute(query.execution_options(yield_per=BATCH)).partitions()
        return
    # SQLite's own tuples: making a row object of each would cost as much as reading it.
    result = connection.execute(query)
    cursor: Any = result.cursor
    try:
        while rows := cursor.fetchmany(BATCH):
            yield rows
    finally:
        result.close()
