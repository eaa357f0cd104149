"""Give, refuse, confirm and withdraw consent, and say what becomes of what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.domain.consent import ConsentError, ConsentEvent, Recorder, Scope, State
from tracker.domain.instants import require_past
from tracker.domain.notice import notice
from tracker.domain.people import Person
from tracker.personal import consent_changed
from tracker.store import exports, requests

GRACE = timedelta(days=7)
"""After a withdrawal without an answer, what the scope covers is erased at the end of this time."""


class Answer(StrEnum):
    """What a participant wants done with what a withdrawn scope covers."""

    KEEP = "keep"
    ERASE_SCOPE = "erase_scope"
    ERASE_ALL = "erase_all"
    UNANSWERED = "unanswered"


OPEN = (Answer.KEEP.value, Answer.UNANSWERED.value)
"""Answers that a new grant of the scope makes void."""


class EvidenceError(ConsentError, ValueError):
    """An operator's record lacks its evidence."""


@dataclass(frozen=True, slots=True)
class ScopeState:
    """Where one scope stands for a person."""

    scope: Scope
    in_force: bool
    confirmed: bool
    event: ConsentEvent | None


def grant(
    access: Access,
    person: Person,
    scopes: Sequence[Scope],
    now: datetime,
    *,
    recorder: Recorder,
    covers_from: datetime | None = None,
    evidence: str = "",
) -> list[ConsentEvent]:
    """Record that scopes are granted.

    Parameters
    ----------
    access, person, scopes, now
        Who grants what, when (UTC).
    recorder
        The participant in person, or an operator who holds evidence.
    covers_from
        From which instant on data are covered; `now` unless stated, earlier for recordings made before.
    evidence
        Demanded of an operator: where the signed paper lies, for example.

    Raises
    ------
    EvidenceError
        When an operator gives no evidence.
    InstantError
        When `covers_from` is naive or in the future.
    """
    if recorder is Recorder.OPERATOR and not evidence.strip():
        raise EvidenceError(
            "an operator's record needs evidence; add --evidence 'signed form 12, binder A', for example"
        )
    start = require_past(covers_from, now) if covers_from is not None else now
    with access.write(person.id, now) as unit:
        events = [
            access.record(unit, scope, State.GIVEN, notice(), recorder, covers_from=start, evidence=evidence)
            for scope in scopes
        ]
        for scope in scopes:
            # An erasure that the participant asked for is carried out all the same.
            requests.cancel(unit.connection, person.id, scope, OPEN)
        consent_changed(_after(unit, events), scopes)
    access.sign_head()
    return events


def refuse(
    access: Access,
    person: Person,
    scopes: Sequence[Scope],
    now: datetime,
    *,
    recorder: Recorder,
    evidence: str = "",
) -> list[ConsentEvent]:
    """Record that scopes were refused; for a scope in force that is a withdrawal without an answer."""
    return _end(access, person, scopes, State.REFUSED, now, recorder, Answer.UNANSWERED, evidence)


def confirm(access: Access, person: Person, now: datetime) -> list[ConsentEvent]:
    """Record the participant's own confirmation of every grant that an operator recorded."""
    with access.write(person.id, now) as unit:
        waiting = [e for e in unit.grants().values() if e.recorder is Recorder.OPERATOR]
        waiting.sort(key=lambda e: e.seq)
        events = [
            access.record(
                unit,
                e.scope,
                State.RENEWED,
                notice(),
                Recorder.PARTICIPANT,
                covers_from=e.covers_from,
            )
            for e in waiting
        ]
    access.sign_head()
    return events


def withdraw(
    access: Access,
    person: Person,
    scopes: Sequence[Scope],
    now: datetime,
    *,
    recorder: Recorder,
    answer: Answer = Answer.UNANSWERED,
    evidence: str = "",
) -> list[ConsentEvent]:
    """Withdraw scopes, in one transaction with everything that must follow at once.

    From its commit on no new row is written; learners are rebased without what was withdrawn; exports
    that hold the person are flagged. What is stored stays readable by the participant alone until the
    answer, or the end of the grace period, is carried out by the erasure job.
    """
    return _end(access, person, scopes, State.WITHDRAWN, now, recorder, answer, evidence)


def answer_withdrawal(access: Access, person: Person, answer: Answer, now: datetime) -> int:
    """Take the participant's answer to every withdrawal that has none yet; return how many there were."""
    with access.write(person.id, now) as unit:
        due = None if answer is Answer.KEEP else now
        return requests.answer(unit.connection, person.id, answer.value, due)


def show(unit: Unit) -> list[ScopeState]:
    """Where every scope stands for the person of a unit."""
    grants = unit.grants()
    last = {e.scope: e for e in sorted(unit.events, key=lambda e: e.seq)}
    return [
        ScopeState(
            scope,
            scope in grants,
            scope in grants and grants[scope].recorder is Recorder.PARTICIPANT,
            last.get(scope),
        )
        for scope in Scope
    ]


def _end(
    access: Access,
    person: Person,
    scopes: Sequence[Scope],
    state: State,
    now: datetime,
    recorder: Recorder,
    answer: Answer,
    evidence: str,
) -> list[ConsentEvent]:
    with access.write(person.id, now) as unit:
        before = unit.grants()
        events = [
            access.record(unit, scope, state, notice(), recorder, covers_from=now, evidence=evidence)
            for scope in scopes
        ]
        consent_changed(_after(unit, events), scopes)
        due = now + GRACE if answer is Answer.UNANSWERED else None if answer is Answer.KEEP else now
        for scope in scopes:
            if scope in before or state is State.WITHDRAWN:
                requests.put(unit.connection, person.id, scope, answer.value, due, now)
        exports.flag(unit.connection, person.id, now)
    access.sign_head()
    return events


def _after(unit: Unit, events: Sequence[ConsentEvent]) -> Unit:
    return Unit(unit.connection, unit.person, unit.now, (*unit.events, *events))
