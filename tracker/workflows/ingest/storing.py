"""Store a batch of observations, each with the network's word and the person's own learner's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Unit
from tracker.domain.consent import Permit, Use
from tracker.domain.series import Observed
from tracker.store import feedback, series


def store(unit: Unit, permit: Permit, rows: list[Observed], now: datetime) -> series.Stored:
    """Store a batch of one source, each estimate of the network beside the learner's own word.

    The learner says nothing about moments before what the grant of learning covers.

    Parameters
    ----------
    unit, permit
        A writing unit and its permit for `Use.STORE_SERIES`.
    rows
        In order of time; estimates are the network's.
    now
        When they are recorded (UTC).
    """
    permit.demand(Use.STORE_SERIES)
    return append(unit, permit, with_own_word(unit, rows), now)


def append(unit: Unit, permit: Permit, rows: list[Observed], now: datetime) -> series.Stored:
    """Store a batch of one source as it is.

    Raises
    ------
    NetworkNotNamedError
        When a network has read it that the study does not name.
    """
    for network in sorted({said.network for row in rows for said in row.estimates}):
        unit.study.demand_network(network)
    return series.store_observed(
        unit.connection,
        permit,
        unit.person.subject,
        unit.person.zone,
        rows,
        now,
        learn=unit.allowed(Use.LEARN),
    )


def with_own_word(unit: Unit, rows: list[Observed]) -> list[Observed]:
    """Add to each estimate of the network what the person's own learner says, where they have one that is allowed."""
    learner = personal.current(unit) if any(row.estimates for row in rows) else None
    return rows if learner is None or not learner.source.own else _joined(unit, learner, rows)


def _joined(unit: Unit, learner: personal.Personal, rows: list[Observed]) -> list[Observed]:
    since = unit.permit(Use.LEARN).covers_from
    zone = ZoneInfo(unit.person.zone)
    first, last = rows[0].observation.at, rows[-1].observation.at
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, first, last)
    own = []
    for row in rows:
        if not row.estimates or row.observation.at < since:
            own.append(row)
            continue
        machine, at = row.estimates[0], row.observation.at
        seen = learner.features(machine.distribution, at, zone, personal.context_at(contexts, at))
        said = replace(machine, distribution=learner.learner.predict(seen), snapshot=learner.snapshot.id)
        own.append(replace(row, estimates=(machine, said)))
    return own
