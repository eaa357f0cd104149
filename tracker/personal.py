"""A person's learner: load it, let it estimate, teach it, rebase it, and replay it.

A learner is a pure function of its prior, its rebase instant B, the learning events of the 30 days
before B and after it, and the instants from which on those and their contexts are covered. The newest
snapshot in the store is that function's value, kept so that nobody has to compute it again; `replay` computes it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Scope, Use
from tracker.domain.series import CONTEXT_HOLDS, Context
from tracker.learning.features import MAX_CONTEXT_AGE_S, ContextAt, Moment, Reading, features
from tracker.learning.learner import EmotionLearner, SnapshotError
from tracker.learning.replay import LearningEvent, fit
from tracker.learning.window import RecordedEvent, remembered, window
from tracker.store import learned

EMOTION = "emotion"
NO_PRIOR = "none"
_AGE = "context_age"
_CONTEXT_PREFIXES = ("place=", "activity=", "company=", _AGE)
_RESTS_ON = {Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.CONTEXT, Scope.PROMPTS}


@dataclass
class Personal:
    """A learner with the snapshot that it stands at."""

    learner: EmotionLearner
    snapshot: learned.SnapshotRow

    def features(
        self, said: Distribution | None, at: datetime, zone: ZoneInfo, context: ContextAt | None
    ) -> dict[str, float]:
        """What this learner sees of a moment; the context only where it may be used."""
        reading = Reading.of(said) if said is not None else None
        seen = features(reading, Moment.at(at, zone, context))
        return _covered(seen, at, self.snapshot.context_since)


@dataclass(frozen=True, slots=True)
class Replay:
    """A learner computed again from its events, beside the live one."""

    target: str
    events: int
    rebased_at: datetime
    live_sha256: str
    replayed_sha256: str

    @property
    def equal(self) -> bool:
        """Whether both have the same bits."""
        return self.live_sha256 == self.replayed_sha256


def context_at(contexts: Sequence[Context], at: datetime) -> ContextAt | None:
    """Join contexts as of an instant: the last one before it speaks, for at most two hours.

    Parameters
    ----------
    contexts
        In order of time.
    at
        The instant.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> context_at([Context(noon, place="home")], noon.replace(hour=13))
    ContextAt(place='home', activity=None, company=None, age_s=3600.0)
    >>> context_at([Context(noon, place="home")], noon.replace(hour=15)) is None
    True
    """
    latest: Context | None = None
    for context in contexts:
        if context.at <= at:
            latest = context
    if latest is None or at - latest.at > CONTEXT_HOLDS:
        return None
    return ContextAt(latest.place, latest.activity, latest.company, (at - latest.at).total_seconds())


def load(unit: Unit, target: str = EMOTION) -> Personal | None:
    """The person's learner as it stands; None where there is none yet or it may not be used."""
    if unit.allowed(Use.LEARN) is None:
        return None
    row = learned.latest_snapshot(unit.connection, unit.person.subject, target)
    if row is None:
        return None
    try:
        return Personal(EmotionLearner.restore(row.parameters), row)
    except SnapshotError:
        # Written by other code; the events it was learned from are the truth, and say it again.
        return Personal(_replayed(unit, row)[0], row)


def current(unit: Unit, target: str = EMOTION) -> Personal | None:
    """The person's learner in a writing unit, made when there is none; None where it may not be used."""
    if unit.allowed(Use.LEARN) is None:
        return None
    return load(unit, target) or rebase(unit, target)


def teach(
    unit: Unit,
    personal: Personal,
    *,
    correction: int,
    seen: Mapping[str, float],
    label: Distribution,
    weight: float,
    machine: Distribution | None,
    target: str = EMOTION,
) -> Personal:
    """Predict, then learn one correction, and keep both; return the learner at its new snapshot."""
    predicted = personal.learner.predict(seen)
    position = learned.add_learned(
        unit.connection,
        unit.permit(Use.LEARN),
        unit.person.subject,
        target,
        correction=correction,
        features=seen,
        label=label,
        weight=weight,
        predicted=predicted,
        machine=machine,
        snapshot_before=personal.snapshot.id,
        now=unit.now,
    )
    personal.learner.learn(seen, label, weight)
    return _keep(unit, personal.learner, replace(personal.snapshot, log_position=position))


def rebase(unit: Unit, target: str = EMOTION) -> Personal:
    """Move the rebase instant to now and learn the window anew, without what was undone or withdrawn."""
    context, prompts = unit.allowed(Use.KEEP_CONTEXT), unit.allowed(Use.PROMPT)
    rows = _rows(unit, target, unit.now)
    # Another process's clock may run ahead: B lies after everything that it is to have seen.
    seen = [at for r in rows for at in (r.recorded_at, r.ended_at) if at is not None]
    row = learned.SnapshotRow(
        id=0,
        target=target,
        prior=NO_PRIOR,
        rebased_at=max([unit.now, *seen]),
        log_position=rows[-1].id if rows else 0,
        learn_since=unit.permit(Use.LEARN).covers_from,
        context_since=context.covers_from if context is not None else None,
        prompts_since=prompts.covers_from if prompts is not None else None,
        parameters={},
        sha256="",
        created_at=unit.now,
    )
    return _keep(unit, fit(None, _events(rows, row)), row)


def consent_changed(unit: Unit, scopes: Iterable[Scope]) -> None:
    """Rebase the learners that there are, so that each holds exactly what is granted from now on.

    A learner rests on four scopes. One that stood still while it was not allowed must not come back as
    it was: in between, corrections may have been undone or the context withdrawn.

    Parameters
    ----------
    unit
        The unit in which the change was recorded, its events included.
    scopes
        What was granted or withdrawn.
    """
    if _RESTS_ON.isdisjoint(scopes) or unit.allowed(Use.LEARN) is None:
        return
    if learned.latest_snapshot(unit.connection, unit.person.subject, EMOTION) is not None:
        rebase(unit)


def replay(unit: Unit, target: str = EMOTION) -> Replay | None:
    """Compute the live learner again from its prior, rebase instant and events; None where there is none."""
    row = learned.latest_snapshot(unit.connection, unit.person.subject, target)
    if row is None:
        return None
    learner, events = _replayed(unit, row)
    return Replay(target, events, row.rebased_at, digest(row.parameters), digest(learner.snapshot()))


def digest(parameters: Mapping[str, Any]) -> str:
    """SHA-256 of a snapshot's canonical JSON, in which floats keep every bit."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _keep(unit: Unit, learner: EmotionLearner, row: learned.SnapshotRow) -> Personal:
    parameters = learner.snapshot()
    sha256 = digest(parameters)
    number = learned.add_snapshot(
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
        parameters=parameters,
        sha256=sha256,
        now=unit.now,
    )
    kept = replace(row, id=number, parameters=parameters, sha256=sha256, created_at=unit.now)
    return Personal(learner, kept)


def _replayed(unit: Unit, row: learned.SnapshotRow) -> tuple[EmotionLearner, int]:
    rows = [r for r in _rows(unit, row.target, row.rebased_at) if r.id <= row.log_position]
    events = _events(rows, row)
    return fit(None, events), len(events)


def _rows(unit: Unit, target: str, rebased_at: datetime) -> list[learned.LearnedRow]:
    since, _ = window(rebased_at)
    return learned.learned_since(unit.connection, unit.person.subject, target, since)


def _events(rows: Iterable[learned.LearnedRow], snapshot: learned.SnapshotRow) -> list[LearningEvent]:
    # What was withdrawn leaves the learner too, and comes back as far as a new grant covers it: a context
    # in the stored features, answers and other corrections whole.
    log = [
        RecordedEvent(
            row.id,
            row.recorded_at,
            LearningEvent(
                _covered(row.features, row.seen_at, snapshot.context_since),
                row.label,
                row.weight,
            ),
            row.ended_at,
        )
        for row in rows
        if row.at >= snapshot.learn_since
        and (not row.prompted or _since(row.said_at, snapshot.prompts_since))
    ]
    return remembered(log, snapshot.rebased_at)


def _covered(features: dict[str, float], at: datetime, since: datetime | None) -> dict[str, float]:
    # The context is as old as its feature says; what counts is when it was, not when it was seen.
    age = timedelta(seconds=features.get(_AGE, 0.0) * MAX_CONTEXT_AGE_S)
    return features if _since(at - age, since) else without_context(features)


def _since(at: datetime, since: datetime | None) -> bool:
    return since is not None and at >= since


def without_context(features: Mapping[str, float]) -> dict[str, float]:
    """Features without what a context said.

    Examples
    --------
    >>> without_context({"read": 1.0, "place=home": 1.0, "context_age": 0.5})
    {'read': 1.0}
    """
    return {k: v for k, v in features.items() if not k.startswith(_CONTEXT_PREFIXES)}
