"""Give, refuse, confirm and withdraw consent, and say what becomes of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.domain.consent import EXPORT_SCOPES, ConsentError, ConsentEvent, Recorder, Scope, State
from tracker.domain.instants import require_past
from tracker.domain.notice import BUILT_IN, notice
from tracker.domain.people import Person
from tracker.personal import consent_changed
from tracker.store import exports, notices, requests

GRACE = timedelta(days=7)
"""After a withdrawal without an answer, what the scope covers is erased at the end of this time."""


class Answer(StrEnum):
    """What a participant wants done with what a withdrawn scope covers."""

    KEEP = "keep"
    ERASE_SCOPE = "erase_scope"
    ERASE_ALL = "erase_all"
    UNANSWERED = "unanswered"


VOIDED = {
    # An erasure that the participant asked for, or that waits for their answer, is no operator's to cancel.
    Recorder.OPERATOR: (Answer.KEEP.value,),
    Recorder.PARTICIPANT: (Answer.KEEP.value, Answer.UNANSWERED.value),
}
"""Answers that a new grant of the scope makes void, by whose word it is."""


class EvidenceError(ConsentError, ValueError):
    """An operator's record lacks its evidence."""


def publish(access: Access, now: datetime) -> int:
    """Let the notice of this program stand, and retire every other: whoever agreed to one is asked again.

    Returns
    -------
    int
        How many texts were retired.
    """
    text = BUILT_IN.notice()
    with access.database.write() as connection:
        notices.publish(connection, text, BUILT_IN.document(), now)
        return notices.retire_all_but(connection, frozenset({text.sha256}), now)


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
        From which instant on data are covered, earlier than `now` for recordings made before. Unless
        stated, `now`; or, for a scope that is in force, from when it covers already.
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
    stated = require_past(covers_from, now) if covers_from is not None else None
    with access.write(person.id, now) as unit:
        before = unit.grants()
        events = []
        for scope in scopes:
            start = stated or (min(now, before[scope].covers_from) if scope in before else now)
            events.append(
                access.record(
                    unit, scope, State.GIVEN, notice(), recorder, covers_from=start, evidence=evidence
                )
            )
            requests.cancel(unit.connection, person.id, scope, VOIDED[recorder])
        consent_changed(access.again(unit), scopes)
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


def confirm(
    access: Access, person: Person, now: datetime, *, proof: Callable[[Unit], None] = lambda _: None
) -> list[ConsentEvent]:
    """Record the participant's own confirmation of every grant that an operator recorded.

    Parameters
    ----------
    access, person, now
        Who confirms, when (UTC).
    proof
        What shows that it is the participant, in the same transaction: a one-time code is used up if, and
        only if, the confirmation is recorded. It raises to refuse.
    """
    with access.write(person.id, now) as unit:
        proof(unit)
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
        for e in waiting:
            requests.cancel(unit.connection, person.id, e.scope, VOIDED[Recorder.PARTICIPANT])
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
    that hold the person and can rest on it are flagged. What is stored stays readable by the participant
    alone until the answer, or the end of the grace period, is carried out by the erasure job.

    Raises
    ------
    EvidenceError
        When an operator asks for an erasure without evidence. Withdrawing alone asks for nothing.
    """
    destroys = answer in (Answer.ERASE_SCOPE, Answer.ERASE_ALL)
    if recorder is Recorder.OPERATOR and destroys and not evidence.strip():
        raise EvidenceError(
            "an erasure on somebody's behalf needs evidence; add --evidence 'signed form 12, binder A', for "
            "example, or withdraw without --then"
        )
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
        consent_changed(access.again(unit), scopes)
        due = now + GRACE if answer is Answer.UNANSWERED else None if answer is Answer.KEEP else now
        for scope in scopes:
            if scope in before or state is State.WITHDRAWN:
                requests.put(unit.connection, person.id, scope, answer.value, due, now)
        if not EXPORT_SCOPES.isdisjoint(before.keys() & set(scopes)):
            exports.flag(unit.connection, person.id, now)
    access.sign_head()
    return events

