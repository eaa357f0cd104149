"""Corrections and contexts: what people say about moments, and what the learner makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import SCOPES_OF, Scope, Use
from tracker.domain.instants import require_past
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.learning.weights import RaterKind, correction_weight
from tracker.store import feedback, series, summaries, timeline

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
    machine
        What the network reads there, or None where there is no observation near.
    before, after
        What the person's learner said before it learned this, and says now; None where it may not learn.
    superseded
        The correction that this one replaces, or None.
    missing
        Scopes without which nothing was learned.
    not_covered_since
        Where nothing was learned because the moment lies before what the grant of learning covers: the
        instant from which on it does; else None.
    """

    correction: int
    at: datetime
    observation: int | None
    machine: Distribution | None
    before: Distribution | None
    after: Distribution | None
    superseded: int | None
    missing: tuple[Scope, ...]
    not_covered_since: datetime | None = None


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
        permit = unit.permit(Use.KEEP_CONTEXT)
        return feedback.add_context(
            unit.connection, permit, person.subject, unit.person.zone, Context(at, *said), now
        )


def correct(
    access: Access,
    person: Person,
    correction: Correction,
    now: datetime,
    *,
    observation: int | None = None,
    prompt: int | None = None,
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

    Raises
    ------
    InstantError
        When the moment is naive or in the future.
    ConsentMissingError
        Without the scope affect_series (an answer to a prompt: prompts).
    NotCoveredError
        When the moment lies before what the grant covers.
    PromptError
        When the prompt was not put to this person.
    """
    at = require_past(correction.at, now)
    with access.write(person.id, now) as unit:
        permit = unit.permit(Use.CORRECT if prompt is None else Use.PROMPT)
        connection, subject = unit.connection, unit.person.subject
        if prompt is not None and feedback.subject_of_prompt(connection, prompt) != subject:
            raise PromptError(f"no prompt {prompt} was put to {person.name}; answer one of their own")
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
        return _learn(unit, correction, at, number, observation, old)


def _learn(
    unit: Unit, correction: Correction, at: datetime, number: int, observation: int | None, old: int | None
) -> Corrected:
    reading = timeline.reading_of(unit.connection, observation) if observation is not None else None
    machine = reading.machine if reading is not None else None
    label = correction.distribution
    if correction.target != personal.EMOTION or label is None:
        return Corrected(number, at, observation, machine, None, None, old, ())
    learner = personal.current(unit)
    if learner is None:
        missing = tuple(s for s in Scope if s in SCOPES_OF[Use.LEARN] - set(unit.grants()))
        return Corrected(number, at, observation, machine, None, None, old, missing)
    shown_before = learner
    if old is not None:
        learner = personal.rebase(unit)
    seen_at = reading.at if reading is not None else at
    since = unit.permit(Use.LEARN).covers_from
    if min(at, seen_at) < since:
        return Corrected(number, at, observation, machine, None, None, old, (), since)
    zone = ZoneInfo(unit.person.zone)
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, seen_at, seen_at)
    seen = learner.features(machine, seen_at, zone, personal.context_at(contexts, seen_at))
    before = shown_before.learner.predict(seen)
    accepted = correction.suggestion_shown and label.top is before.top
    learner = personal.teach(
        unit,
        learner,
        correction=number,
        seen=seen,
        label=label,
        weight=correction_weight(RaterKind.PARTICIPANT, accepted=accepted),
        machine=machine,
    )
    _read_again(unit, learner, seen_at)
    return Corrected(number, at, observation, machine, before, learner.learner.predict(seen), old, ())


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
