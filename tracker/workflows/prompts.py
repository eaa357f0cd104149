"""Questions put to a participant, one per slot: whether to put one now, and keeping what was put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.access import Access, Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.instants import require_instant
from tracker.domain.people import Person
from tracker.domain.series import Prompt
from tracker.learning.asking import AskingPolicy, Decision, Today, decide
from tracker.learning.choosing import Action
from tracker.learning.reasons import Reason, in_words
from tracker.learning.vigilance import watchful
from tracker.personal.sureness import START, sureness
from tracker.store import asked, feedback


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
            state="open",
            reason=decision.because.value,
            random=decision.audit,
        )
        zone, connection = unit.person.zone, unit.connection
        return Asked(decision, feedback.put_prompt(connection, permit, person.subject, zone, prompt, now))


def today_of(unit: Unit, policy: AskingPolicy) -> Today:
    """Where a participant's day stands at the instant of a unit: all questions count, whoever put them."""
    permit, connection, subject = unit.permit(Use.PROMPT), unit.connection, unit.person.subject
    zone = ZoneInfo(unit.person.zone)
    local = unit.now.astimezone(zone)
    began = policy.day_began(local)
    first = asked.first_put(connection, permit, subject)
    first_day = policy.day_began((first or unit.now).astimezone(zone)).date()
    # A gap may be longer than a day; a question put by a clock that ran ahead counts too.
    recent = asked.put_since(connection, permit, subject, unit.now - policy.gap - timedelta(days=2))
    return Today(
        day=max((began.date() - first_day).days + 1, 1),
        hour=local.hour + local.minute / 60 + local.second / 3600,
        # By the clock on the wall: the end of the quiet hours may be an hour that the change of clocks leaves out.
        asked=sum(policy.day_began(at.astimezone(zone)) >= began for at in recent),
        since_last=unit.now - recent[-1] if recent else None,
    )


def _permit(unit: Unit) -> Permit:
    permit = unit.permit(Use.PROMPT)
    unit.study.demand_open("nothing is asked")
    return unit.keeping(permit, Scope.PROMPTS)


def _paused(policy: AskingPolicy) -> Decision:
    words = in_words(Reason.PAUSED, alone=0.5, share=policy.audits, warm_up_days=policy.warm_up_days)
    return Decision(Action.SILENT, Reason.PAUSED, audit=False, words=words)
