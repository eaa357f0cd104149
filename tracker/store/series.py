"""Queries that store observations and estimates, once each, and keep the quarter-hour summaries true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, insert, select

from tracker.domain.consent import ConsentError, Permit, Scope, Use
from tracker.domain.series import MACHINE, Observation, Observed, Reason
from tracker.store.rows import EMOTION_COLUMNS, to_columns
from tracker.store.summaries import Tally, add_to_summaries, summarise_again
from tracker.store.tables import estimates, observations
from tracker.store.timeline import newest


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch added: rows that were there already are not counted."""

    observations: int
    estimates: int


@dataclass(frozen=True, slots=True)
class Known:
    """An observation that is stored already: what a resumed run needs to know of it."""

    id: int
    pts_us: int
    at: datetime
    reason: Reason | None
    faces: int
    box: tuple[float, float, float, float] | None
    networks: frozenset[str]


def store_observed(
    connection: Connection,
    permit: Permit,
    subject: str,
    zone: str,
    batch: Sequence[Observed],
    recorded_at: datetime,
    *,
    learn: Permit | None = None,
) -> Stored:
    """Store a batch of one source; what is there already (same source and time) stays as it is.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    permit
        For `Use.STORE_SERIES`, made in this transaction.
    subject, zone
        Whose series, and the IANA zone kept beside each instant.
    batch
        Observations with estimates; all of one source.
    recorded_at
        Now (UTC).
    learn
        For `Use.LEARN`, where estimates are the learner's own word.

    Raises
    ------
    NotCoveredError
        When an observation lies before what the grant covers; then nothing of the batch is stored.
    ConsentError
        When an estimate is a learner's and there is no permit to learn.
    ValueError
        When the batch is of several sources.
    """
    permit.demand(Use.STORE_SERIES)
    if not batch:
        return Stored(0, 0)
    if len({o.observation.source for o in batch}) > 1:
        raise ValueError("a batch is of one source; store one batch for each")
    # One frame, one observation: the first word of a batch counts.
    batch = list({o.observation.pts_us: o for o in reversed(batch)}.values())[::-1]
    for observed in batch:
        permit.demand_covers(observed.observation.at)
    before = _ids(connection, subject, batch)
    new = [o for o in batch if o.observation.pts_us not in before]
    if new:
        grant = permit.grant(Scope.AFFECT_SERIES)
        seen = [observation_row(o.observation, subject, zone, grant, recorded_at) for o in new]
        connection.execute(insert(observations), seen)
    ids = _ids(connection, subject, batch) if new else before
    rows = _new_estimates(connection, batch, ids, set(before.values()), _Grants(permit, learn), recorded_at)
    if rows:
        connection.execute(insert(estimates), rows)
    tally = Tally(subject)
    for observed in new:
        machine, own = (word.distribution if word else None for word in newest(observed.estimates))
        tally.count(observed.observation.at, observed.observation.reason, machine, own)
    add_to_summaries(connection, tally)
    _summarise_read_again(connection, subject, before, rows)
    return Stored(len(new), len(rows))


def append_estimates(
    connection: Connection,
    permit: Permit,
    network: str,
    snapshot: int,
    values: Iterable[tuple[int, datetime, Sequence[float]]],
    recorded_at: datetime,
) -> int:
    """Append what a learner snapshot says about stored observations: (id, instant, 8 probabilities) each.

    Each is read over the network that read it last, so the caller appends network by network, and makes the
    affected summaries anew, because the newest snapshot's word counts there.

    Raises
    ------
    NotCoveredError
        When an instant lies before what the grant covers; then nothing is appended.
    """
    permit.demand(Use.LEARN)
    values = list(values)
    for _, at, _ in values:
        permit.demand_covers(at)
    grant = permit.grant(Scope.PERSONAL_LEARNING) if values else 0
    rows = [
        {
            "observation": observation,
            "network": network,
            "snapshot": snapshot,
            "grant_id": grant,
            **dict(zip(EMOTION_COLUMNS, map(float, probabilities), strict=True)),
            "recorded_at": recorded_at,
        }
        for observation, _, probabilities in values
    ]
    if rows:
        connection.execute(insert(estimates), rows)
    return len(rows)


def known(connection: Connection, subject: str, source: str) -> dict[int, Known]:
    """What is stored of one source already, by presentation time."""
    query = (
        select(
            observations.c.id,
            observations.c.pts_us,
            observations.c.at,
            observations.c.reason,
            observations.c.faces,
            observations.c.box_x,
            observations.c.box_y,
            observations.c.box_w,
            observations.c.box_h,
            estimates.c.network,
        )
        .outerjoin(
            estimates, and_(estimates.c.observation == observations.c.id, estimates.c.snapshot == MACHINE)
        )
        .where(observations.c.subject == subject, observations.c.source == source)
        .order_by(observations.c.pts_us)
    )
    found: dict[int, Known] = {}
    for row in connection.execute(query):
        networks = frozenset({row.network} if row.network else ())
        if row.pts_us in found:
            networks |= found[row.pts_us].networks
        box = None if row.box_x is None else (row.box_x, row.box_y, row.box_w, row.box_h)
        reason = Reason(row.reason) if row.reason else None
        found[row.pts_us] = Known(row.id, row.pts_us, row.at, reason, row.faces, box, networks)
    return found


def count(connection: Connection, subject: str) -> tuple[int, int]:
    """How many observations and estimates a subject has."""
    mine = observations.c.subject == subject
    seen = connection.execute(select(func.count()).select_from(observations).where(mine)).scalar_one()
    join = estimates.join(observations, estimates.c.observation == observations.c.id)
    read = connection.execute(select(func.count()).select_from(join).where(mine)).scalar_one()
    return seen, read


def span(
    connection: Connection, subject: str, since: datetime | None = None
) -> tuple[datetime, datetime] | None:
    """The first and the last instant of a subject's series, or of the part of it that begins at an instant."""
    mine = observations.c.subject == subject
    if since is not None:
        mine &= observations.c.at >= since
    first = connection.execute(
        select(observations.c.at).where(mine).order_by(observations.c.at).limit(1)
    ).scalar()
    if first is None:
        return None
    last = connection.execute(
        select(observations.c.at).where(mine).order_by(observations.c.at.desc()).limit(1)
    ).scalar_one()
    return first, last


def nearest(
    connection: Connection, subject: str, at: datetime, within: timedelta
) -> tuple[int, datetime] | None:
    """The observation with an estimate that is nearest to an instant: (id, instant), or None."""
    candidates = []
    read = select(estimates.c.id).where(estimates.c.observation == observations.c.id).exists()
    for condition, order in (
        (and_(observations.c.at <= at, observations.c.at >= at - within), observations.c.at.desc()),
        (and_(observations.c.at > at, observations.c.at <= at + within), observations.c.at),
    ):
        query = (
            select(observations.c.id, observations.c.at)
            .where(observations.c.subject == subject, condition, read)
            .order_by(order)
            .limit(1)
        )
        if row := connection.execute(query).one_or_none():
            candidates.append((row.id, row.at))
    return min(candidates, key=lambda c: abs(c[1] - at), default=None)


def _ids(connection: Connection, subject: str, batch: Sequence[Observed]) -> dict[int, int]:
    times = [o.observation.pts_us for o in batch]
    query = select(observations.c.pts_us, observations.c.id).where(
        observations.c.subject == subject,
        observations.c.source == batch[0].observation.source,
        observations.c.pts_us.between(min(times), max(times)),
    )
    return {row.pts_us: row.id for row in connection.execute(query)}


def _summarise_read_again(
    connection: Connection, subject: str, before: dict[int, int], rows: Sequence[dict[str, object]]
) -> None:
    # A word on what was counted already takes the place of an older one, which a tally cannot take back.
    again = {row["observation"] for row in rows} & set(before.values())
    if again:
        mine = observations.c.id.in_(sorted(again))
        first, last = connection.execute(
            select(func.min(observations.c.at), func.max(observations.c.at)).where(mine)
        ).one()
        summarise_again(connection, subject, first, last)


@dataclass(frozen=True, slots=True)
class _Grants:
    """Under which grant an estimate is written: the network's word is the series, a learner's is learning."""

    series: Permit
    learn: Permit | None

    def of(self, snapshot: int) -> int:
        if snapshot == MACHINE:
            return self.series.grant(Scope.AFFECT_SERIES)
        if self.learn is None:
            raise ConsentError("a learner's word is stored under a permit to learn; there is none")
        return self.learn.grant(Scope.PERSONAL_LEARNING)


def _new_estimates(
    connection: Connection,
    batch: Sequence[Observed],
    ids: dict[int, int],
    old: set[int],
    grants: _Grants,
    recorded_at: datetime,
) -> list[dict[str, object]]:
    there: set[tuple[int, str, bool]] = set()
    if old:
        query = select(estimates.c.observation, estimates.c.network, estimates.c.snapshot).where(
            estimates.c.observation.in_(sorted(old))
        )
        there = {(o, n, s != MACHINE) for o, n, s in connection.execute(query)}
    rows: list[dict[str, object]] = []
    for observed in batch:
        row = ids[observed.observation.pts_us]
        for estimate in observed.estimates:
            # One word of the network and one of the learner of that time: tracking again adds nothing.
            if (row, estimate.network, estimate.snapshot != MACHINE) in there:
                continue
            rows.append(
                {
                    "observation": row,
                    "network": estimate.network,
                    "snapshot": estimate.snapshot,
                    "grant_id": grants.of(estimate.snapshot),
                    **to_columns(estimate.distribution),
                    "recorded_at": recorded_at,
                }
            )
    return rows


def observation_row(
    o: Observation, subject: str, zone: str, grant: int, recorded_at: datetime
) -> dict[str, object]:
    """An observation as values for its columns."""
    x, y, w, h = o.box if o.box is not None else (None, None, None, None)
    return {
        "subject": subject,
        "source": o.source,
        "pts_us": o.pts_us,
        "at": o.at,
        "zone": zone,
        "time_source": o.time_source.value,
        "reason": o.reason.value if o.reason is not None else None,
        "faces": o.faces,
        "box_x": x,
        "box_y": y,
        "box_w": w,
        "box_h": h,
        "detector": o.detector,
        "score": o.score,
        "sharpness": o.sharpness,
        "aligned": o.aligned,
        "imported_from": o.imported_from,
        "grant_id": grant,
        "recorded_at": recorded_at,
    }
