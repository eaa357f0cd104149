"""What a person's learner makes of a word: it predicts, learns, and reads the moments around anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import SCOPES_OF, Scope, Use
from tracker.domain.series import Correction
from tracker.learning.kinds import agrees
from tracker.learning.weights import correction_weight, kind_of_rater
from tracker.personal import Source
from tracker.store import feedback, hiding, series, summaries, timeline
from tracker.store.seen import DamagedLogError, Label, Seen
from tracker.workflows.feedback.outcome import Corrected

AROUND = timedelta(minutes=15)
"""What is read again by the learner after a correction: the moments around it, on either side."""


def learn(unit: Unit, correction: Correction, label: Label, done: Corrected) -> Corrected:
    """Let the learner of a target learn a correction that was stored in this unit; return what that did."""
    reading = timeline.reading_of(unit.connection, done.observation) if done.observation is not None else None
    machine = reading.machine if reading is not None else None
    seen_at = reading.at if reading is not None else done.at
    if hiding.hides_correction(unit.connection, done.correction):
        # Nobody is told what was read there, and nothing is learned from it; the word itself is kept.
        return replace(done, hidden=True)
    done = replace(done, machine=machine)
    learner = personal.current(unit, correction.target)
    if learner is None:
        missing = tuple(s for s in Scope if s in SCOPES_OF[Use.LEARN] - set(unit.grants()))
        return replace(done, missing=missing, source=None if missing else Source.NETWORK)
    shown_before = learner
    if done.superseded is not None:
        learner = personal.renew(unit, correction.target)
    if learner is None or not learner.source.own:
        # What it holds cannot be replayed, so nothing may be learned on top of it.
        return replace(done, source=learner.source if learner is not None else Source.NETWORK)
    since = unit.permit(Use.LEARN).covers_from
    if min(done.at, seen_at) < since:
        return replace(done, not_covered_since=since)
    try:
        seen = _seen(unit, learner, machine, done.at, seen_at)
    except DamagedLogError:
        return replace(done, source=Source.NETWORK)
    before = shown_before.learner.predict(seen.features)
    accepted = correction.suggestion_shown and agrees(before, label)
    learner = personal.teach(
        unit,
        learner,
        correction=done.correction,
        seen=seen,
        label=label,
        weight=correction_weight(kind_of_rater(correction.rater), accepted=accepted),
        machine=machine,
    )
    if correction.target == personal.EMOTION:
        _read_again(unit, learner, seen_at)
    after = learner.learner.predict(seen.features)
    return replace(done, before=before, after=after, source=shown_before.source)


def _seen(
    unit: Unit, learner: personal.Personal, machine: Distribution | None, at: datetime, seen_at: datetime
) -> Seen:
    if learner.target != personal.EMOTION:
        return personal.look(unit, learner.target, at)
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, seen_at, seen_at)
    zone = ZoneInfo(unit.person.zone)
    return Seen(learner.features(machine, seen_at, zone, personal.context_at(contexts, seen_at)))


def _read_again(unit: Unit, learner: personal.Personal, at: datetime) -> None:
    permit = unit.permit(Use.LEARN)
    start, end = max(at - AROUND, permit.covers_from), at + AROUND
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, start, end)
    zone = ZoneInfo(unit.person.zone)
    # Each moment over the network that read it last: its learner's word counts beside that one's.
    said: dict[str, list[tuple[int, datetime, tuple[float, ...]]]] = {}
    for r in list(timeline.readings(unit.connection, unit.person.subject, start, end)):
        if r.network is not None and r.machine is not None:
            seen = learner.features(r.machine, r.at, zone, personal.context_at(contexts, r.at))
            word = learner.learner.predict(seen).probabilities
            said.setdefault(r.network, []).append((r.observation, r.at, word))
    if said:
        for network, words in said.items():
            series.append_estimates(unit.connection, permit, network, learner.snapshot.id, words, unit.now)
        summaries.summarise_again(unit.connection, unit.person.subject, start, end)
