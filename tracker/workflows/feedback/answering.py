"""Answers: everything that one press of one button says, stored together and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from tracker import personal
from tracker.access import Access, Unit
from tracker.access.erased import ErasedStretchError, erased_stretches, refusing
from tracker.domain.answers import Answer
from tracker.domain.consent import SCOPES_OF, ConsentError, Scope, Use
from tracker.domain.instants import require_past
from tracker.domain.notes import checked
from tracker.domain.people import Person
from tracker.personal.answered import complete
from tracker.store import answers
from tracker.workflows.feedback.contexts import checked_context, keep_context
from tracker.workflows.feedback.correcting import keep_note, permit_for, say
from tracker.workflows.feedback.outcome import Corrected


@dataclass(frozen=True, slots=True)
class Offers:
    """What a participant may answer now, and what is missing for the rest.

    Attributes
    ----------
    words, prompts, context, note
        Whether emotions, the grid and company may be said of one's own accord, in answer to a question; whether
        surroundings and a note are kept beside them; whether the learner learns.
    missing
        Scopes without which one of these is not kept.
    """

    words: bool
    prompts: bool
    context: bool
    note: bool
    learn: bool
    missing: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer did.

    Attributes
    ----------
    at
        The moment it speaks of.
    words
        What each word did, by target.
    context, noted
        Whether surroundings were kept with it, and a note.
    left_out
        Scopes for want of which something of it was not kept.
    again
        Whether it had been stored before, and nothing was done now.
    """

    at: datetime
    words: Mapping[str, Corrected] = field(default_factory=lambda: MappingProxyType({}))
    context: bool = False
    noted: bool = False
    left_out: tuple[Scope, ...] = ()
    again: bool = False


def offers(unit: Unit) -> Offers:
    """What may be answered now."""
    may = {use: unit.allowed(use) is not None for use in _OFFERED}
    held = set(unit.grants())
    missing = {scope for use in _OFFERED if not may[use] for scope in SCOPES_OF[use] - held}
    return Offers(
        words=may[Use.CORRECT],
        prompts=may[Use.PROMPT],
        context=may[Use.KEEP_CONTEXT],
        note=may[Use.KEEP_NOTES],
        learn=may[Use.LEARN],
        missing=tuple(scope for scope in Scope if scope in missing),
    )


_OFFERED = (Use.CORRECT, Use.PROMPT, Use.KEEP_CONTEXT, Use.KEEP_NOTES, Use.LEARN)


def answer(
    access: Access, person: Person, given: Answer, now: datetime, *, prompt: int | None = None
) -> Answered:
    """Store an answer and learn from it, in one transaction and once.

    A second answer with the same key, whatever it says, changes nothing: what the first one did is returned. The
    words need the scope affect_series (an answer to a prompt: prompts), or nothing is stored. What surrounds the
    person, and the note, are kept where their scopes are in force and cover the moment; else they are left out, and
    that is told: an answer that waited on a phone is not lost because a note is not allowed any more.

    Parameters
    ----------
    access, person, given, now
        The gate, who answers what, and the instant of now (UTC).
    prompt
        The prompt that this answers, or None.

    Raises
    ------
    InstantError
        When the moment is naive or in the future.
    ConsentMissingError, NotCoveredError, StudyClosedError
        When nothing of it may be stored.
    ContextError, NoteError
        When a word of the surroundings, or the note, is none.
    PromptError
        When the prompt was not put to this person.
    ErasedStretchError
        When the moment lies in a stretch that was deleted for good since; the answer may be sent a second time.
    PromptOverError
        When it had ended at the moment of the answer; then nothing is stored.
    """
    require_past(given.at, now)
    around, said = given.context(), list(given.words())
    around = checked_context(around, now) if around is not None else None
    note = checked(given.note) if given.note is not None and given.note.strip() else None
    with access.write(person.id, now) as unit:
        if before := _before(unit, given.key):
            return before
        gone = erased_stretches(access, unit, since=given.at)
        if refusing(gone, given.at, given_at=given.at) is not None:
            raise ErasedStretchError
        left_out: list[Scope] = []
        permit = permit_for(unit, prompt) if said or prompt is not None else None
        if prompt is not None:
            complete(unit, prompt, given.at)
        context = False
        if around is not None:
            try:
                # Before the words: the learner sees it beside them.
                keep_context(unit, around)
                context = True
            except ConsentError:
                if not said:
                    raise
                left_out.append(Scope.CONTEXT)
        words = {}
        for word in said:
            assert permit is not None
            words[word.target] = say(unit, permit, word, prompt=prompt)
        noted = False
        if note is not None:
            try:
                keep_note(access, unit, note, next(iter(words.values())).correction, given.at)
                noted = True
            except ConsentError:
                left_out.append(Scope.NOTES)
        return Answered(given.at, words, context, noted, tuple(left_out))


def _before(unit: Unit, key: str) -> Answered | None:
    subject = unit.person.subject
    there = answers.words_of(unit.connection, subject, key)
    context = answers.context_of(unit.connection, subject, key)
    if not there:
        return None if context is None else Answered(context, context=True, again=True)
    words = {}
    for word in there:
        learner = personal.load(unit, word.target) if word.features is not None else None
        words[word.target] = Corrected(
            word.correction,
            word.at,
            word.observation,
            word.supersedes,
            before=word.predicted,
            # What it says by now of what it saw then: it may have learned more since.
            after=learner.learner.predict(word.features) if learner and word.features is not None else None,
            noted=word.noted,
        )
    return Answered(there[0].at, words, context is not None, any(word.noted for word in there), again=True)
