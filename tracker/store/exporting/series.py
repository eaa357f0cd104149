"""What was captured of a person, and what networks and learners said of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from tracker.domain.affect import Emotion
from tracker.domain.series import MACHINE
from tracker.store.exporting.cutting import Cut
from tracker.store.exporting.fetching import Rows, columns_of, plain, stream
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.tables import estimates, observations

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
    "imported_from",
    "recorded_at",
)
SERIES_COLUMNS = ("id", "at", "zone", "stands_for", "snapshot", *EMOTION_COLUMNS, "samples", "network")


def observation_rows(connection: Connection, subject: str, cut: Cut, since: datetime) -> Iterator[Rows]:
    """Observations from an instant on, in order: id, then the columns of `OBSERVATION_COLUMNS`."""
    query = (
        columns_of(connection, observations, ("id", *OBSERVATION_COLUMNS))
        .where(observations.c.subject == subject, observations.c.at >= since, cut.of(observations))
        .order_by(observations.c.at, observations.c.id)
    )
    return stream(connection, query)


def estimate_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> Iterator[Rows]:
    """Estimates in order of their observations.

    Each row is the observation's id, at and zone, then network, snapshot, eight probabilities, samples, recorded_at.
    """
    query = (
        select(
            observations.c.id,
            plain(connection, observations.c.at),
            observations.c.zone,
            estimates.c.network,
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
            estimates.c.samples,
            plain(connection, estimates.c.recorded_at),
        )
        .join(estimates, estimates.c.observation == observations.c.id)
        .where(*_estimates_of(subject, cut, since, learner_since))
        .order_by(observations.c.at, observations.c.id, estimates.c.network, estimates.c.snapshot)
    )
    return stream(connection, query)


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


def series_rows(
    connection: Connection, subject: str, cut: Cut, since: datetime, learner_since: datetime | None
) -> Iterator[Rows]:
    """Every observation in order, as often as something was said of it, and once where nothing was.

    Each row is the observation's id, at, zone and samples, then snapshot (None where nothing was said), eight
    probabilities, samples and network; of what networks said of one observation the last one comes last.
    """
    kinds = _kinds(learner_since)
    query = (
        select(
            observations.c.id,
            plain(connection, observations.c.at),
            observations.c.zone,
            observations.c.samples.label("stands_for"),
            estimates.c.snapshot,
            *(estimates.c[c] for c in EMOTION_COLUMNS),
            estimates.c.samples,
            estimates.c.network,
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
    return stream(connection, query)


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


def ever_read(connection: Connection, subject: str, cut: Cut, network: str, emotion: Emotion) -> bool:
    """Whether a network ever gave an emotion of a subject's face more than 0."""
    query = (
        select(estimates.c.id)
        .join(observations, estimates.c.observation == observations.c.id)
        .where(
            observations.c.subject == subject,
            cut.of(observations),
            cut.of(estimates),
            estimates.c.network == network,
            estimates.c.snapshot == MACHINE,
            estimates.c[f"p_{emotion.value}"] > 0,
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None
