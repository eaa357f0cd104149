"""Corrections: what somebody says about one moment, stored and learned from in one transaction."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from tracker.access import Access, Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.instants import require_past
from tracker.domain.notes import checked, to_bytes
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.learning.kinds import label_of
from tracker.personal.answered import complete, demand_answerable
from tracker.store import feedback, notes, series, timeline
from tracker.workflows.feedback.learning import learn
from tracker.workflows.feedback.outcome import Corrected, PromptError

NEAR = timedelta(minutes=2)
"""How far from a moment an observation may lie to be the one that a correction speaks of."""


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
        permit_for(unit, prompt).demand_covers(at)
        if prompt is not None:
            demand_answerable(unit, prompt)
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
    PromptOverError
        When it cannot be answered any more.
    TargetError
        When the target is none, or the answer is none to it.
    """
    correction = replace(correction, at=require_past(correction.at, now))
    label_of(correction.target, correction.distribution, correction.value)
    words = checked(note) if note is not None else None
    with access.write(person.id, now) as unit:
        permit = permit_for(unit, prompt)
        if prompt is not None:
            complete(unit, prompt)
        done = say(unit, permit, correction, observation=observation, prompt=prompt)
        if words is not None:
            keep_note(access, unit, words, done.correction, correction.at)
        return replace(done, noted=words is not None)


def say(
    unit: Unit,
    permit: Permit,
    correction: Correction,
    *,
    observation: int | None = None,
    prompt: int | None = None,
) -> Corrected:
    """Store one correction in a writing unit, under a permit of `permit_for`, and let its learner learn it.

    Its moment is known to have passed (`tracker.domain.instants.require_past`).

    Raises
    ------
    NotCoveredError
        When the moment lies before what the grant covers.
    TargetError
        When the target is none, or the answer is none to it.
    """
    label = label_of(correction.target, correction.distribution, correction.value)
    connection, subject, at = unit.connection, unit.person.subject, correction.at
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
        correction,
        unit.now,
        observation=observation,
        prompt=prompt,
        supersedes=old,
    )
    return learn(unit, correction, label, Corrected(number, at, observation, old))


def permit_for(unit: Unit, prompt: int | None) -> Permit:
    """A permit to store a correction, or the answer to a prompt that was put to this person."""
    if prompt is None:  # one's own record may be put right in a closed study too
        return unit.keeping(unit.permit(Use.CORRECT), Scope.AFFECT_SERIES)
    unit.study.demand_open("no answer is stored")
    permit = unit.keeping(unit.permit(Use.PROMPT), Scope.PROMPTS)
    if feedback.subject_of_prompt(unit.connection, prompt) != unit.person.subject:
        raise PromptError(f"no prompt {prompt} was put to {unit.person.name}; answer one of their own")
    return permit


def keep_note(access: Access, unit: Unit, words: str, correction: int, at: datetime) -> None:
    """Seal a note that was `checked`, beside a correction of the same unit."""
    permit, person, note = unit.permit(Use.KEEP_NOTES), unit.person, secrets.token_hex(16)
    sealed = access.vault.seal(person.id, Scope.NOTES.value, to_bytes(words), notes.place(note))
    notes.add(unit.connection, permit, person.subject, note, correction, at, sealed, unit.now)
