"""Corrections and contexts: what people say about moments, and what the learner makes of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import SCOPES_OF, Permit, Scope, Use
from tracker.domain.instants import require_past
from tracker.domain.notes import checked, to_bytes
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.learning.kinds import agrees, label_of
from tracker.learning.weights import correction_weight, kind_of_rater
from tracker.personal import Source
from tracker.store import feedback, notes, series, summaries, timeline
from tracker.store.seen import DamagedLogError, Label, Seen

NEAR = timedelta(minutes=2)
"""How far from a moment an observation may lie to be the one that a correction speaks of."""

AROUND = timedelta(minutes=15)
"""What is read again by the learner after a correction: the moments around it, on either side."""


LONGEST_WORD = 64
"""Characters of a place, an activity or a company: they are categories, not notes."""


class ContextError(ValueError):
    """A context says nothing, or too much."""


class PromptError(ValueError):
    """An answer is to a prompt that was never put to this person."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction did.

    Attributes
    ----------
    correction
        Its id.
    at
        The moment it speaks of.
    superseded
        The correction that this one replaces, or None.
    machine
        What the network reads there, or None where there is no observation near.
    before, after
        What the person's learner said before it learned this, and says now: a distribution; a yes (above 0.5)
        or no, as sure as it is far from the other end; or a mean with its standard deviation. None where it
        learned nothing.
    missing
        Scopes without which nothing was learned.
    not_covered_since
        Where nothing was learned because the moment lies before what the grant of learning covers: the
        instant from which on it does; else None.
    source
        Where `before` comes from. Where nothing was learned because the person's own learner cannot be read, what
        answers in its place; else None.
    noted
        Whether a note was sealed beside it.
    """

    correction: int
    at: datetime
    observation: int | None
    superseded: int | None = None
    machine: Distribution | None = None
    before: Any = None
    after: Any = None
    missing: tuple[Scope, ...] = ()
    not_covered_since: datetime | None = None
    source: Source | None = None
    noted: bool = False


def add_context(access: Access, person: Person, context: Context, now: datetime) -> int:
    """Store what surrounded the person from an instant on.

    Raises
    ------
    ContextError
        When neither place nor activity nor company is given, or one is longer than `LONGEST_WORD`.
    InstantError
        When the instant is naive or in the future.
    ConsentMissingError
        Without the scopes affect_series and context.
    """
    at = require_past(context.at, now)
    said = [(text or "").strip() or None for text in (context.place, context.activity, context.company)]
    if not any(said):
        raise ContextError("a context needs at least one of place, activity and company")
    longest = max(len(word or "") for word in said)
    if longest > LONGEST_WORD:
        raise ContextError(
            f"place, activity and company have at most {LONGEST_WORD} characters, not {longest}; use a category"
        )
    with access.write(person.id, now) as unit:
        unit.study.demand_open("no context is stored")
        permit = unit.keeping(unit.permit(Use.KEEP_CONTEXT), Scope.CONTEXT)
        return feedback.add_context(
            unit.connection, permit, person.subject, unit.person.zone, Context(at, *said), now
        )


def demand_correcting(
    access: Access,
    person: Person,
    correction: Correction,
    now: datetime,
    *,
    prompt: int | None = None,
    note: str | None = None,
) -> None:
    """Raise what `correct` would, without storing anything: for who must note a look before they call it."""
    at = require_past(correction.at, now)
    label_of(correction.target, correction.distribution, correction.value)
    if note is not None:
        checked(note)
    with access.read(person.id, now) as unit:
        _permit(unit, prompt).demand_covers(at)
        if note is not None:
            unit.permit(Use.KEEP_NOTES).demand_covers(at)


def correct(
    access: Access,
    person: Person,
    correction: Correction,
    now: datetime,
    *,
    observation: int | None = None,
    prompt: int | None = None,
    note: str | None = None,
) -> Corrected:
    """Store a correction and learn from it, in one transaction.

    The observation nearest to the moment (within two minutes, with an estimate) is the one spoken of;
    without one the moment itself is. A second correction of the same moment by the same rater supersedes
    the first: the learner is rebased without it. Then the learner predicts, learns, and reads the
    moments around anew, as far as the grant of learning covers them; a moment before that is kept all the
    same.

    Parameters
    ----------
    observation
        The observation spoken of, where the caller knows it (a click on the timeline).
    prompt
        The prompt that this answers.
    note
        What the person writes beside it, kept sealed and shown to nobody else; None for nothing. A note stays with
        its correction: one that supersedes it has its own, or none.

    Raises
    ------
    InstantError
        When the moment is naive or in the future.
    ConsentMissingError
        Without the scope affect_series (an answer to a prompt: prompts), or with a note and without the scope
        notes; then the correction is not stored either.
    NotCoveredError
        When the moment lies before what the grant covers.
    NoteError
        When the note is empty, too long or no text.
    PromptError
        When the prompt was not put to this person.
    TargetError
        When the target is none, or the answer is none to it.
    """
    at = require_past(correction.at, now)
    label = label_of(correction.target, correction.distribution, correction.value)
    words = checked(note) if note is not None else None
    with access.write(person.id, now) as unit:
        permit = _permit(unit, prompt)
        connection, subject = unit.connection, unit.person.subject
        if observation is None:
            near = series.nearest(connection, subject, at, NEAR)
            observation = near[0] if near is not None else None
        elif timeline.subject_of(connection, observation) != subject:
            observation = None
        old = feedback.standing_correction(
            connection, subject, correction.target, correction.rater, observation=observation, at=at
        )
        number = feedback.add_correction(
            connection,
            permit,
            subject,
            unit.person.zone,
            Correction(
                at,
                correction.target,
                correction.distribution,
                correction.value,
                correction.rater,
                correction.suggestion_shown,
            ),
            now,
            observation=observation,
            prompt=prompt,
            supersedes=old,
        )
        if words is not None:
            _keep_note(access, unit, words, number, at)
        done = Corrected(number, at, observation, old, noted=words is not None)
        return _learn(unit, correction, label, done)


def _permit(unit: Unit, prompt: int | None) -> Permit:
    """A permit to store a correction, or the answer to a prompt that was put to this person."""
    if prompt is None:  # one's own record may be put right in a closed study too
        return unit.keeping(unit.permit(Use.CORRECT), Scope.AFFECT_SERIES)
    unit.study.demand_open("no answer is stored")
    permit = unit.keeping(unit.permit(Use.PROMPT), Scope.PROMPTS)
    if feedback.subject_of_prompt(unit.connection, prompt) != unit.person.subject:
        raise PromptError(f"no prompt {prompt} was put to {unit.person.name}; answer one of their own")
    return permit


def _keep_note(access: Access, unit: Unit, words: str, correction: int, at: datetime) -> None:
    permit, person, note = unit.permit(Use.KEEP_NOTES), unit.person, secrets.token_hex(16)
    sealed = access.vault.seal(person.id, Scope.NOTES.value, to_bytes(words), notes.place(note))
    notes.add(unit.connection, permit, person.subject, note, correction, at, sealed, unit.now)


def _learn(unit: Unit, correction: Correction, label: Label, done: Corrected) -> Corrected:
    reading = timeline.reading_of(unit.connection, done.observation) if done.observation is not None else None
    machine = reading.machine if reading is not None else None
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
    seen_at = reading.at if reading is not None else done.at
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
