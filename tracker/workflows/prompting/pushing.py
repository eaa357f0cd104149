"""Tell devices that a question waits: once for each prompt, each time that it is put or recalled, and each device.

Each message is looked at and marked in a transaction of its own right before it leaves: what somebody withdrew or
stopped while another device was told is not sent. Whoever is killed in between leaves one that
nobody sends again: a question that a device misses shows in the web app all the same, one that rings twice annoys. What
certainly did not arrive (no connection, or the service said so) is tried again, a bounded number of times, never after
the question has ended, in the quiet hours, or while it looks like the person would rather be left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.people import Person
from tracker.domain.prompting import State, ends_at, state_at
from tracker.domain.pushing import EndpointError, contact_in, origin_of
from tracker.domain.schedules import schedule_of
from tracker.privacy import vapid
from tracker.store import prompting, pushing
from tracker.store.pushing import MessageRow
from tracker.workflows.prompting.deciding import quiet, quiet_at, yields
from tracker.workflows.prompting.devices import possible
from tracker.workflows.prompting.posting import NotSentError, Posted, Push, RefusedHereError, UnsureError

TRIES = 4
"""How often a message is tried at most."""

WAITS = (timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=9))
"""How long is waited before each further try, unless the push service asks for longer."""

_ALIVE = timedelta(hours=1)
"""For how long a message is kept for a device whose question does not end by itself."""

_OK, _GONE, _AGAIN = range(200, 300), frozenset({404, 410}), frozenset({408, 425, 429})

Post = Callable[[Push, datetime], Posted]
"""Sends a message (`tracker.workflows.prompting.posting.Poster`)."""


class Outcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    GONE = "gone"
    REFUSED = "refused"
    UNSURE = "unsure"
    RETRIED = "retried"
    GIVEN_UP = "given_up"
    OVER = "over"
    HELD_BACK = "held_back"


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many messages push services took, did not take yet, and will not have."""

    sent: int = 0
    later: int = 0
    dropped: int = 0

    def __add__(self, other: Pushed) -> Pushed:
        """Both together."""
        return Pushed(self.sent + other.sent, self.later + other.later, self.dropped + other.dropped)


@dataclass(frozen=True, slots=True)
class _Ready:
    message: MessageRow
    push: Push
    ends: datetime | None


def push(
    access: Access, person: Person, now: datetime, post: Post, go_on: Callable[[], bool] = lambda: True
) -> Pushed:
    """Send what is due for the devices of a person; no transaction is open while it is on its way.

    Parameters
    ----------
    access, person, now
        The gate, whose devices, and the instant (UTC).
    post
        Sends one message.
    go_on
        Whether there is time for another one; what is left is due the next time.

    Raises
    ------
    UnknownParticipantError
        When they were erased.
    """
    done = Pushed()
    while go_on():
        with access.write(person.id, now) as unit:
            ready, dropped = _next(access, unit)
        done += Pushed(dropped=dropped)
        if ready is None:
            break
        done += _sent(access, person, ready, now, post)
    return done


def _next(access: Access, unit: Unit) -> tuple[_Ready | None, int]:
    """Mark the first message that may be sent now as on its way; settle those before it, and say how many they are."""
    due = pushing.due(unit.connection, unit.person.subject, unit.now)
    # Switched off by whoever runs the study, or not allowed any more: nothing waits for a better time.
    off = Outcome.HELD_BACK if due and not possible(unit) else None
    for dropped, message in enumerate(due):
        hindrance = off or _hindrance(unit, message)
        if hindrance is None:
            return _begun(access, unit, message), dropped
        pushing.settle(unit.connection, message, hindrance)
    return None, len(due)


def _begun(access: Access, unit: Unit, message: MessageRow) -> _Ready:
    """Mark a message as on its way."""
    opener = access.vault.opener(unit.person.id, Scope.PROMPTS.value)
    rows = pushing.devices(unit.connection, unit.person.subject)
    sealed = next(row.sealed for row in rows if row.id == message.device)
    endpoint = json.loads(opener(sealed, pushing.place(message.device)))["endpoint"]
    pushing.begin(unit.connection, unit.permit(Use.PROMPT), message)
    secret, contact = access.vault.secret(vapid.PURPOSE), contact_in(unit.study.controller.contact) or ""
    who = vapid.authorization(secret, origin_of(endpoint), contact, unit.now)
    ends = _ends(unit, message)
    # What waits at the push service for a device that is off must not ring in the quiet hours either.
    last = min(at for at in (ends or unit.now + _ALIVE, quiet_at(unit)) if at is not None)
    return _Ready(message, Push(endpoint, who, max(1, int((last - unit.now).total_seconds()))), ends)


def _hindrance(unit: Unit, message: MessageRow) -> Outcome | None:
    row = prompting.one(unit.connection, unit.person.subject, message.prompt)
    # Whoever opened it knows of it.
    if row is None or state_at(row.prompt, unit.now) not in (State.NOTIFIED, State.REMINDED):
        return Outcome.OVER
    if unit.person.paused_at is not None or quiet(unit):
        return Outcome.HELD_BACK
    schedule = unit.study.plan.schedule(schedule_of(row.prompt.slot) or "")
    # As it is put, it was decided a moment ago: chance may have put it through a wish to be left alone.
    decided = message.number == 0 and (message.tries == 0 or row.prompt.random)
    return None if decided or schedule is None or not yields(unit, schedule) else Outcome.HELD_BACK


def _ends(unit: Unit, message: MessageRow) -> datetime | None:
    row = prompting.one(unit.connection, unit.person.subject, message.prompt)
    return ends_at(row.prompt) if row is not None else None


def _sent(access: Access, person: Person, one: _Ready, now: datetime, post: Post) -> Pushed:
    message, again_at = one.message, None
    try:
        answer = post(one.push, now)
        outcome = _read(answer)
        wait = answer.retry_after_s
    except NotSentError:
        outcome, wait = Outcome.RETRIED, None
    except UnsureError:
        outcome, wait = Outcome.UNSURE, None
    except EndpointError:
        outcome, wait = Outcome.GONE, None
    except RefusedHereError:
        # A maker's name led inside: that is this network's doing, and no reason to forget anybody's device.
        outcome, wait = Outcome.REFUSED, None
    if outcome is Outcome.RETRIED:
        again_at = _again_at(one, now, wait)
        outcome = Outcome.GIVEN_UP if again_at is None else outcome
    with access.write(person.id, now) as unit:
        connection, subject = unit.connection, person.subject
        pushing.settle(connection, message, outcome, again_at)
        if outcome is Outcome.GONE:
            pushing.remove(connection, subject, message.device)
        elif outcome is Outcome.SENT and (permit := unit.allowed(Use.PROMPT)) is not None:
            pushing.pushed(connection, permit, subject, message.prompt, now)
    if outcome is Outcome.SENT:
        return Pushed(sent=1)
    return Pushed(later=1) if again_at is not None else Pushed(dropped=1)


def _read(answer: Posted) -> Outcome:
    if answer.status in _OK:
        return Outcome.SENT
    if answer.status in _GONE:
        return Outcome.GONE
    # A redirect is no answer of a push service, and nobody is followed anywhere.
    return Outcome.RETRIED if answer.status in _AGAIN or answer.status >= 500 else Outcome.REFUSED


def _again_at(one: _Ready, now: datetime, wait_s: int | None) -> datetime | None:
    """When a message that did not arrive is tried again; None: it is not."""
    tried = one.message.tries
    if tried + 1 >= TRIES:
        return None
    at = now + max(WAITS[min(tried, len(WAITS) - 1)], timedelta(seconds=wait_s or 0))
    # One that never ends is not put off for ever.
    return at if at < (one.ends if one.ends is not None else now + _ALIVE) else None
