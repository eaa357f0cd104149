"""Give, refuse, confirm and withdraw consent, and say what becomes of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.domain.consent import (
    EXPORT_SCOPES,
    RATED_SCOPES,
    ConsentError,
    ConsentEvent,
    Notice,
    Recorder,
    Scope,
    State,
)
from tracker.domain.instants import require_past
from tracker.domain.people import Person
from tracker.personal import consent_changed
from tracker.store import exports, notices, pushing, requests, studies
from tracker.study import notice_texts


class Answer(StrEnum):
    """What a participant wants done with what a withdrawn scope covers."""

    KEEP = "keep"
    ERASE_SCOPE = "erase_scope"
    ERASE_ALL = "erase_all"
    UNANSWERED = "unanswered"


VOIDED = {
    # An erasure that the participant asked for, or that waits for their answer to a withdrawal of their own, is no
    # operator's to cancel.
    Recorder.OPERATOR: (Answer.KEEP.value,),
    Recorder.GUARDIAN: (Answer.KEEP.value,),
    Recorder.PARTICIPANT: (Answer.KEEP.value, Answer.UNANSWERED.value),
}
"""Answers that a new grant of the scope makes void, by whose word it is.

An unanswered withdrawal that was not the participant's word is void as well, once the scope is in force again: what is
stored under the new grant must not be erased because of it.
"""


_WHO = {Recorder.OPERATOR: "an operator's", Recorder.GUARDIAN: "a guardian's"}


class EvidenceError(ConsentError, ValueError):
    """An operator's or a guardian's record lacks its evidence."""


class GuardianError(ConsentError, ValueError):
    """A guardian's consent was to be recorded where the study asks for none."""

    def __init__(self) -> None:
        super().__init__(
            "this study asks for no guardian's consent; nothing was recorded. Record it without --guardian, or apply a "
            "study that says guardians = true in [consent]"
        )


class NoticeChangedError(ConsentError):
    """The notice that somebody read is not the one that stands any more."""

    def __init__(self) -> None:
        super().__init__(
            "the notice has changed since it was shown; nothing was recorded. Read the new one, then choose again"
        )


def publish(access: Access, now: datetime) -> int:
    """Let the notice of the study in force stand, and retire every other: whoever agreed to one is asked again.

    Returns
    -------
    int
        How many texts were retired.
    """
    with access.database.write() as connection:
        return notices.stand(connection, studies.in_force(connection), now)


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
    shown: str | None = None,
    proof: Callable[[Unit], None] = lambda _: None,
) -> list[ConsentEvent]:
    """Record that scopes are granted.

    Parameters
    ----------
    access, person, scopes, now
        Who grants what, when (UTC).
    recorder
        The participant in person; or, recorded by somebody who holds evidence, an operator on their behalf or a
        guardian beside them.
    covers_from
        From which instant on data are covered, earlier than `now` for recordings made before. Unless
        stated, `now`; or, for a scope that is in force, from when it covers already.
    evidence
        Demanded of all but the participant: where the signed paper lies, for example.
    shown
        SHA-256 of the notice that was read; unless stated, that of the study in its first language.
    proof
        What must hold for it, in the same transaction: that nothing was said since, for example. It raises to refuse.

    Raises
    ------
    EvidenceError
        When there is no evidence.
    GuardianError
        When the study asks for no guardian.
    ClockBehindError
        When this machine's clock stands before the person's last choice.
    InstantError
        When `covers_from` is naive or in the future.
    NoticeChangedError
        When the notice that was read does not stand any more.
    StudyClosedError, ScopeNotAskedError
        When the study is closed, or does not ask for one of these.
    """
    if recorder is not Recorder.PARTICIPANT and not evidence.strip():
        raise EvidenceError(
            f"{_WHO[recorder]} record needs evidence; add --evidence 'signed form 12, binder A', for example"
        )
    stated = require_past(covers_from, now) if covers_from is not None else None
    with access.write(person.id, now) as unit:
        proof(unit)
        unit.study.demand_open("nothing more can be granted")
        unit.study.demand_asked(scopes)
        if recorder is Recorder.GUARDIAN and not unit.rules.guardians:
            raise GuardianError
        text, before = _notice(unit, shown), unit.grants()
        events = []
        for scope in dict.fromkeys(scopes):
            start = stated or (min(now, before[scope].covers_from) if scope in before else now)
            events.append(
                access.record(unit, scope, State.GIVEN, text, recorder, covers_from=start, evidence=evidence)
            )
            requests.cancel(unit.connection, person.id, scope, VOIDED[recorder])
        unit = access.again(unit)
        for scope, waiting in _waiting(unit).items():
            # `unit.events` knows the new grant now; whose withdrawal waits is told by the event that ended the scope.
            if scope in scopes and scope in unit.grants() and not _own(unit, waiting):
                requests.cancel(unit.connection, person.id, scope, (Answer.UNANSWERED.value,))
        consent_changed(unit, scopes)
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
    access: Access,
    person: Person,
    now: datetime,
    *,
    proof: Callable[[Unit], None] = lambda _: None,
    shown: str | None = None,
) -> list[ConsentEvent]:
    """Record the participant's own confirmation of every grant that an operator recorded.

    Parameters
    ----------
    access, person, now
        Who confirms, when (UTC).
    proof
        What shows that it is the participant, in the same transaction: a one-time code is used up if, and
        only if, the confirmation is recorded. It raises to refuse.
    shown
        As in `grant`.

    Raises
    ------
    NoticeChangedError, StudyClosedError
        As `grant`.
    """
    with access.write(person.id, now) as unit:
        unit.study.demand_open("nothing more can be confirmed")
        text = _notice(unit, shown)
        proof(unit)
        waiting = [e for e in unit.grants().values() if e.recorder is Recorder.OPERATOR]
        waiting.sort(key=lambda e: e.seq)
        events = [
            access.record(
                unit,
                e.scope,
                State.RENEWED,
                text,
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
    proof: Callable[[Unit], None] = lambda _: None,
) -> list[ConsentEvent]:
    """Withdraw scopes, in one transaction with everything that must follow at once.

    From its commit on no new row is written; learners are rebased without what was withdrawn; exports
    that hold the person and can rest on it are flagged. What is stored stays readable by the participant
    alone until the answer, or the end of the grace period, is carried out by the erasure job.

    Parameters
    ----------
    access, person, scopes, now, recorder, evidence
        As in `grant`. A closed study, an expired grant and a changed notice hinder nothing.
    answer
        What becomes of what is stored.
    proof
        As in `confirm`.

    Raises
    ------
    EvidenceError
        When an operator asks for an erasure without evidence. Withdrawing alone asks for nothing.
    """
    destroys = answer in (Answer.ERASE_SCOPE, Answer.ERASE_ALL)
    if recorder is not Recorder.PARTICIPANT and destroys and not evidence.strip():
        raise EvidenceError(
            "an erasure on somebody's behalf needs evidence; add --evidence 'signed form 12, binder A', for "
            "example, or withdraw without --then"
        )
    return _end(access, person, scopes, State.WITHDRAWN, now, recorder, answer, evidence, proof)


def answer_withdrawal(access: Access, person: Person, answer: Answer, now: datetime) -> int:
    """Take the participant's answer to every withdrawal that has none yet; return how many there were."""
    with access.write(person.id, now) as unit:
        due = None if answer is Answer.KEEP else now
        return requests.answer(unit.connection, person.id, answer.value, due, now)


def erasures_due(unit: Unit) -> dict[Scope, datetime]:
    """When what is stored of each scope is erased, also where it was granted again by somebody who cannot stop that."""
    return {scope: row.due_at for scope, row in _waiting(unit).items() if row.due_at is not None}


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
    proof: Callable[[Unit], None] = lambda _: None,
) -> list[ConsentEvent]:
    scopes = list(dict.fromkeys(scopes))
    with access.write(person.id, now) as unit:
        proof(unit)
        before = unit.grants()
        # What was allowed once may lie there still, though its time is over or its notice has changed.
        allowed = {scope for scope, stands in unit.standing().items() if stands.said_yes}
        events = [
            access.record(unit, scope, state, _notice(unit), recorder, covers_from=now, evidence=evidence)
            for scope in scopes
        ]
        consent_changed(access.again(unit), scopes)
        if Scope.PROMPTS in scopes:
            pushing.remove(unit.connection, person.subject)
        grace = timedelta(days=unit.study.consent.grace_days)
        due = now + grace if answer is Answer.UNANSWERED else None if answer is Answer.KEEP else now
        standing = _waiting(unit)
        destroys = answer in (Answer.ERASE_SCOPE, Answer.ERASE_ALL)
        for event in events:
            scope, waits = event.scope, standing.get(event.scope)
            # What the participant said is theirs to change: another's bare word neither keeps nor puts off nor erases.
            theirs = waits is not None and recorder is not Recorder.PARTICIPANT and _own(unit, waits)
            stays = theirs and (not destroys or (waits is not None and waits.answer == Answer.ERASE_ALL))
            if (scope in allowed or state is State.WITHDRAWN) and not stays:
                requests.put(unit.connection, person.id, scope, answer.value, due, event.recorded_at)
        _flag_exports(unit, before.keys() & set(scopes))
    access.sign_head()
    return events


def _waiting(unit: Unit) -> dict[Scope, requests.RequestRow]:
    return {row.scope: row for row in requests.of(unit.connection, unit.person.id)}


def _own(unit: Unit, request: requests.RequestRow) -> bool:
    """Whether a request is the participant's own word: so it is unless only others ended the scope at its instant."""
    ended = [
        event.recorder
        for event in unit.events
        if event.scope is request.scope
        and not event.state.permits
        and event.recorded_at == request.recorded_at
    ]
    return not ended or Recorder.PARTICIPANT in ended


def _notice(unit: Unit, shown: str | None = None) -> Notice:
    standing = [text.notice() for text in notice_texts(unit.study)]
    found = next((n for n in standing if shown in (None, n.sha256)), None)
    if found is None:
        raise NoticeChangedError
    return found


def _flag_exports(unit: Unit, gone: AbstractSet[Scope]) -> None:
    """Mark the person's exports that can rest on what is withdrawn: all, or those through the door that closed."""
    doors = {Scope.EXPORT_PSEUDONYMOUS: False, Scope.EXPORT_PUBLIC: True}
    if gone & (EXPORT_SCOPES - RATED_SCOPES - doors.keys()):
        exports.flag(unit.connection, unit.person.id, unit.now)
    elif gone & RATED_SCOPES:
        exports.flag(unit.connection, unit.person.id, unit.now, rated=True)
    for door in gone & doors.keys():
        exports.flag(unit.connection, unit.person.id, unit.now, public=doors[door])
