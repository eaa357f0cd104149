"""A person's learners, one for each target: load, let estimate, teach, rebase, replay.

A learner is a pure function of its prior, its rebase instant B, the learning events of the 30 days
before B and after it, and the instants from which on those and their contexts are covered. The newest
snapshot in the store is that function's value, kept so that nobody has to compute it again; `replay` computes it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import RATE, SCOPES_OF, Scope, Use
from tracker.learning import kinds
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.kinds import EMOTION, Learner
from tracker.learning.learner import SnapshotError
from tracker.personal import drifting, pooling
from tracker.personal.log import Covered, covered_features, events_of, rows_of
from tracker.personal.pooling import NO_PRIOR, digest
from tracker.personal.sources import Source
from tracker.store import learned, priors, snapshots
from tracker.store.seen import DamagedLogError, Label, Seen
from tracker.store.snapshots import SnapshotRow

_RESTS_ON = {Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.CONTEXT, Scope.PROMPTS}.union(
    *(SCOPES_OF[use] for use in RATE)
)
_log = logging.getLogger(__name__)


@dataclass
class Personal:
    """A learner with the snapshot that it stands at, and where its answers come from."""

    learner: Learner
    snapshot: SnapshotRow
    source: Source = Source.SNAPSHOT

    @property
    def target(self) -> str:
        """What it answers for."""
        return self.snapshot.target

    def features(
        self, said: Distribution | None, at: datetime, zone: ZoneInfo, context: ContextAt | None
    ) -> dict[str, float]:
        """What an emotion learner sees of a moment; the context only where it may be used."""
        reading = Reading.of(said) if said is not None else None
        seen = features(reading, Moment.at(at, zone, context))
        return dict(covered_features(seen, at, self.snapshot.context_since))


@dataclass(frozen=True, slots=True)
class Replay:
    """A learner computed again from its events, beside the live one.

    Attributes
    ----------
    replayed_sha256
        Empty where it cannot be computed: `problem` says why.
    """

    target: str
    events: int
    rebased_at: datetime
    live_sha256: str
    replayed_sha256: str
    problem: str = ""

    @property
    def equal(self) -> bool:
        """Whether both have the same bits."""
        return self.live_sha256 == self.replayed_sha256


def load(unit: Unit, target: str = EMOTION) -> Personal | None:
    """The person's learner as it stands; None where there is none yet or it may not be used.

    A snapshot that cannot be read is learned again; where the corrections cannot be read either, what the
    learner started from answers; where that is gone, the network (for other targets: nothing known).
    """
    if unit.allowed(Use.LEARN) is None:
        return None
    row = snapshots.latest(unit.connection, unit.person.subject, target)
    return None if row is None else _opened(unit, row)


def as_of(unit: Unit, at: datetime, mark: int, target: str = EMOTION) -> Personal | None:
    """The person's learner as it stood at an instant, made by a snapshot of at most this id; None as in `load`."""
    if unit.allowed(Use.LEARN) is None:
        return None
    row = snapshots.as_of(unit.connection, unit.person.subject, target, at, mark)
    return None if row is None else _opened(unit, row)


def current(unit: Unit, target: str = EMOTION) -> Personal | None:
    """The person's learner in a writing unit, made when there is none.

    None where it may not be used, or where the corrections that it would be made from cannot be read.
    """
    if unit.allowed(Use.LEARN) is None:
        return None
    with suppress(DamagedLogError):
        return load(unit, target) or rebase(unit, target)
    return None


def live(unit: Unit) -> list[str]:
    """The targets for which the person has a learner."""
    return list(snapshots.live(unit.connection, unit.person.subject))


def teach(
    unit: Unit,
    personal: Personal,
    *,
    correction: int,
    seen: Seen,
    label: Label,
    weight: float,
    machine: Distribution | None,
) -> Personal:
    """Predict, then learn one correction, and keep both; return the learner at its new snapshot.

    Where the estimates have begun to fit less well, that is kept too, and the learner is rebased: what it had
    learned before counts less from then on.

    Raises
    ------
    NotCoveredError
        When the moment lies before what the grant of learning covers.
    """
    position = note(
        unit, personal, correction=correction, seen=seen, label=label, weight=weight, machine=machine
    )
    kept = _keep(unit, personal.learner, replace(personal.snapshot, log_position=position))
    with suppress(DamagedLogError):
        if drifting.notice(unit, personal.target) is not None:
            return rebase(unit, personal.target)
    return kept


def note(
    unit: Unit,
    personal: Personal,
    *,
    correction: int,
    seen: Seen,
    label: Label,
    weight: float,
    machine: Distribution | None,
) -> int:
    """Predict, then learn one correction, and note both in the log; return its position there. No snapshot is kept."""
    position = learned.add_learned(
        unit.connection,
        unit.permit(Use.LEARN),
        unit.person.subject,
        personal.target,
        correction=correction,
        seen=seen,
        label=label,
        weight=weight,
        predicted=personal.learner.predict(seen.features),
        machine=machine,
        snapshot_before=personal.snapshot.id,
        now=unit.now,
    )
    personal.learner.learn(seen.features, label, weight)
    return position


def rebase(unit: Unit, target: str = EMOTION) -> Personal:
    """Move the rebase instant to now and learn the window anew, without what was undone or withdrawn.

    It starts from the newest prior of the target that still stands.

    Raises
    ------
    DamagedLogError
        When the corrections cannot be read.
    """
    covered = Covered.by(unit)
    rows = rows_of(unit, target, unit.now)
    # Another process's clock may run ahead: B lies after everything that it is to have seen.
    seen = [at for r in rows for at in (r.recorded_at, r.ended_at) if at is not None]
    prior, start = pooling.start_of(unit.connection, target)
    row = SnapshotRow(
        id=0,
        target=target,
        prior=prior,
        rebased_at=max([unit.now, *seen]),
        log_position=rows[-1].id if rows else 0,
        learn_since=covered.learn_since,
        context_since=covered.context_since,
        prompts_since=covered.prompts_since,
        raters_since=covered.raters_since,
        faded_before=drifting.faded_before(unit, target),
        parameters={},
        sha256="",
        created_at=unit.now,
    )
    events = events_of(unit, target, rows, covered, row.rebased_at, row.faded_before)
    try:
        learner = kinds.relearned(kinds.fresh(kinds.kind_of(target), start), events)
    except SnapshotError as error:
        raise DamagedLogError(str(error)) from error
    return _keep(unit, learner, row)


def renew(unit: Unit, target: str = EMOTION) -> Personal | None:
    """Rebase a learner; where its corrections cannot be read, there is none any more.

    For what must not wait: a learner that cannot be rebased without what was undone, withdrawn or erased must not
    answer any more.
    """
    try:
        return rebase(unit, target)
    except DamagedLogError as error:
        _log.warning("a learner of %s was dropped: %s", target, error)
        snapshots.drop(unit.connection, unit.person.subject, target)
        return None


def renew_all(unit: Unit) -> list[Personal]:
    """Renew every learner that the person has; return those that there are now."""
    return [again for target in live(unit) if (again := renew(unit, target)) is not None]


def consent_changed(unit: Unit, scopes: Iterable[Scope]) -> None:
    """Rebase the learners that there are, so that each holds exactly what is granted from now on.

    A learner rests on four scopes. One that stood still while it was not allowed must not come back as
    it was: in between, corrections may have been undone or the context withdrawn. A prior that holds
    something that is not granted any more is retired in the same moment.

    Parameters
    ----------
    unit
        The unit in which the change was recorded, its events included.
    scopes
        What was granted or withdrawn.
    """
    changed = set(scopes)
    if not changed.isdisjoint(_RESTS_ON | {Scope.POOLED_LEARNING}):
        pooling.retire_uncovered(unit)
    if not changed.isdisjoint(_RESTS_ON) and unit.allowed(Use.LEARN) is not None:
        renew_all(unit)


def replay(unit: Unit, target: str = EMOTION) -> Replay | None:
    """Compute the live learner again from its prior, rebase instant and events; None where there is none."""
    row = snapshots.latest(unit.connection, unit.person.subject, target)
    if row is None:
        return None
    try:
        learner, events = _replayed(unit, row)
    except (SnapshotError, DamagedLogError) as error:
        return Replay(target, 0, row.rebased_at, digest(row.parameters), "", str(error))
    return Replay(target, events, row.rebased_at, digest(row.parameters), digest(learner.snapshot()))


def _keep(unit: Unit, learner: Learner, row: SnapshotRow) -> Personal:
    parameters = learner.snapshot()
    sha256 = digest(parameters)
    number = snapshots.add(
        unit.connection,
        unit.permit(Use.LEARN),
        unit.person.subject,
        row.target,
        prior=row.prior,
        rebased_at=row.rebased_at,
        log_position=row.log_position,
        learn_since=row.learn_since,
        context_since=row.context_since,
        prompts_since=row.prompts_since,
        raters_since=row.raters_since,
        faded_before=row.faded_before,
        parameters=parameters,
        sha256=sha256,
        now=unit.now,
    )
    kept = replace(row, id=number, parameters=parameters, sha256=sha256, created_at=unit.now)
    return Personal(learner, kept)


def _opened(unit: Unit, row: SnapshotRow) -> Personal:
    kind = kinds.kind_of(row.target)
    prior = priors.get(unit.connection, row.prior) if row.prior != NO_PRIOR else None
    if row.prior != NO_PRIOR and (prior is None or prior.retired_at is not None):
        # It holds something of somebody who has left (or did: it is gone already): nobody is answered from it.
        return _fallen(kinds.fresh(kind, None), row, Source.NETWORK)
    if digest(row.parameters) == row.sha256:
        try:
            return Personal(kinds.restore(kind, row.parameters), row)
        except SnapshotError:
            pass  # Written by other code; the events it was learned from are the truth, and say it again.
    try:
        return _fallen(_replayed(unit, row)[0], row, Source.REPLAY)
    except (SnapshotError, DamagedLogError) as error:
        _log.warning("a learner of %s can be replayed no more: %s", row.target, error)
    if prior is not None and pooling.whole(prior):
        try:
            return _fallen(kinds.fresh(kind, prior.parameters), row, Source.PRIOR)
        except SnapshotError as error:
            _log.warning("the prior of %s cannot be read: %s", row.target, error)
    return _fallen(kinds.fresh(kind, None), row, Source.NETWORK)


def _fallen(learner: Learner, row: SnapshotRow, source: Source) -> Personal:
    _log.warning("a learner of %s answers from its %s instead of its snapshot", row.target, source.value)
    return Personal(learner, row, source)


def _replayed(unit: Unit, row: SnapshotRow) -> tuple[Learner, int]:
    start = pooling.parameters_of(unit.connection, row.prior)
    rows = [r for r in rows_of(unit, row.target, row.rebased_at) if r.id <= row.log_position]
    events = events_of(unit, row.target, rows, Covered.of(row), row.rebased_at, row.faded_before)
    return kinds.relearned(kinds.fresh(kinds.kind_of(row.target), start), events), len(events)
