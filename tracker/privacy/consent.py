"""The consent decision: a pure function of a participant's events, a use and an instant.

It is the only maker of a `Permit`. Expiry, unknown states and unconfirmed operator's records all end in
a refusal: what is not plainly allowed is denied.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tracker.domain.consent import (
    NEEDS_CONFIRMATION,
    SCOPES_OF,
    ConsentEvent,
    Permit,
    Recorder,
    Refusal,
    Scope,
    Use,
)


def in_force(events: Iterable[ConsentEvent], at: datetime) -> dict[Scope, ConsentEvent]:
    """Return the event on which each granted scope rests at an instant.

    Parameters
    ----------
    events
        One participant's events. The order is that of `seq`, not of any clock.
    at
        Events recorded after this instant are not seen, so consent at any past instant is recomputable.
    """
    last: dict[Scope, ConsentEvent] = {}
    for event in sorted(events, key=lambda e: e.seq):
        if event.recorded_at <= at:
            last[event.scope] = event
    return {scope: event for scope, event in last.items() if event.state.permits}


def decide(participant: str, events: Iterable[ConsentEvent], use: Use, at: datetime) -> Permit | Refusal:
    """Decide whether a use is allowed at an instant.

    Parameters
    ----------
    participant
        Whose events these are; carried into the answer.
    events
        All of the participant's events.
    use
        What is about to be done.
    at
        When (UTC).

    Returns
    -------
    Permit or Refusal
        A permit covers instants from the latest `covers_from` of its scopes on.
    """
    grants = in_force(events, at)
    needed = sorted(SCOPES_OF[use], key=list(Scope).index)
    missing = tuple(scope for scope in needed if scope not in grants)
    if missing:
        return Refusal(participant, use, missing)
    if use in NEEDS_CONFIRMATION:
        # Showing data to others rests on what the participant said in person, for each scope.
        unconfirmed = tuple(s for s in needed if grants[s].recorder is not Recorder.PARTICIPANT)
        if unconfirmed:
            return Refusal(participant, use, (), unconfirmed)
    return Permit(participant, use, max(grants[s].covers_from for s in needed), at)
