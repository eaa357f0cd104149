"""Questions put to a participant, one per slot: whether to put one now, and keeping what was put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Access, Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.instants import require_instant
from tracker.domain.people import Person
from tracker.domain.prompting import State
from tracker.domain.series import Prompt
from tracker.learning.asking import AskingPolicy, Decision, decide
from tracker.learning.choosing import Action
from tracker.learning.reasons import Reason, in_words
from tracker.learning.vigilance import watchful
from tracker.personal.days import today_of
from tracker.personal.sureness import START, sureness
from tracker.store import feedback

ANSWERABLE = timedelta(hours=1)
"""How long a question that was put by hand can be answered."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was decided at a moment.

    Parameters
    ----------
    decision
        Ask, decide alone or stay silent, and why.
    prompt
        The id of the question that was put, or None.
    """

    decision: Decision
    prompt: int | None = None


def record(access: Access, person: Person, prompt: Prompt, now: datetime) -> int | None:
    """Keep a prompt and what became of it; a slot that has one keeps that one, and None is returned.

    Raises
    ------
    ConsentMissingError
        Without the scope prompts.
    """
    with access.write(person.id, now) as unit:
        return feedback.put_prompt(
            unit.connection, _permit(unit), person.subject, unit.person.zone, prompt, now
        )


def demand_asking(access: Access, person: Person, now: datetime) -> None:
    """Raise what `ask_now` would, without doing anything: for who must note a look before they call it.

    Raises
    ------
    ConsentMissingError, StudyClosedError
        When nothing may be asked.
    """
    with access.read(person.id, now) as unit:
        _permit(unit)


def ask_now(
    access: Access,
    person: Person,
    now: datetime,
    u: float,
    *,
    policy: AskingPolicy | None = None,
    start: float = START,
) -> Asked:
    """Decide whether to ask a participant now; where it asks, keep the prompt with its reason.

    Call it at moments at which a question could be put, every half hour say. The rules, in the participant's own
    time, are those of `tracker.learning.asking.decide`; two processes that call it at once put one question.

    Parameters
    ----------
    access, person, now
        The gate, whom, and the instant.
    u
        A uniform random number in [0, 1), drawn for this call and no other.
    policy
        What the study allows; the default policy where None.
    start
        The threshold that kept the promise on other people (`tracker.learning.abstention.first_threshold`).

    Raises
    ------
    ConsentMissingError
        Without the scope prompts.
    """
    now = require_instant(now)
    allowed = policy or AskingPolicy()
    with access.write(person.id, now) as unit:
        permit = _permit(unit)
        if unit.person.paused_at is not None:
            return Asked(_paused(allowed))
        known = sureness(unit, now, audits=allowed.audits, start=start)
        decision = decide(
            watchful(allowed, known.vigilant),
            today_of(unit, allowed),
            alone=known.alone,
            threshold=known.threshold,
            u=u,
            novelty=known.novelty,
        )
        if decision.action is not Action.ASK:
            return Asked(decision)
        prompt = Prompt(
            slot=f"asked-{now:%Y%m%dT%H%M%S}Z",
            scheduled_at=now,
            notified_at=now,
            started_at=None,
            completed_at=None,
            state=State.NOTIFIED.value,
            reason=decision.because.value,
            random=decision.audit,
            expires_at=now + ANSWERABLE,
        )
        zone, connection = unit.person.zone, unit.connection
        return Asked(decision, feedback.put_prompt(connection, permit, person.subject, zone, prompt, now))


def _permit(unit: Unit) -> Permit:
    permit = unit.permit(Use.PROMPT)
    unit.study.demand_open("nothing is asked")
    return unit.keeping(permit, Scope.PROMPTS)


def _paused(policy: AskingPolicy) -> Decision:
    words = in_words(Reason.PAUSED, alone=0.5, share=policy.audits, warm_up_days=policy.warm_up_days)
    return Decision(Action.SILENT, Reason.PAUSED, audit=False, words=words)
