"""The consent decision: a pure function of a participant's events, a use and an instant.

It is the only maker of a `Permit`. Expiry, unknown states and unconfirmed operator's records all end in
a refusal: what is not plainly allowed is denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from tracker.domain.consent import (
    NEEDS_CONFIRMATION,
    SCOPES_OF,
    ConsentEvent,
    Permit,
    Recorder,
    Refusal,
    Rules,
    Scope,
    Use,
)

ANY = Rules()
"""The rules of a study that demands nothing beside the grant."""


def in_force(events: Iterable[ConsentEvent], at: datetime, rules: Rules = ANY) -> dict[Scope, ConsentEvent]:
    """Return the event on which each granted scope rests at an instant.

    Parameters
    ----------
    events
        One participant's events. The order is that of `seq`, not of any clock.
    at
        Events recorded after this instant are not seen, so consent at any past instant is recomputable.
    rules
        What the study demands. Where it demands guardians, both they and the participant (or an operator who holds
        the participant's word) must have granted, and either ends it; the later start and the earlier end count.
        A guardian's word never stands for the participant's own: where no guardian is asked for, it gives nothing,
        and ends what was granted before it.
    """
    own: dict[Scope, ConsentEvent] = {}
    guardians: dict[Scope, ConsentEvent] = {}
    for event in sorted(events, key=lambda e: e.seq):
        if event.recorded_at <= at:
            (guardians if event.recorder is Recorder.GUARDIAN else own)[event.scope] = event
    held = {scope: event for scope, event in own.items() if _permits(event, at, rules)}
    if not rules.guardians:
        return {s: event for s, event in held.items() if not _ended_by(guardians.get(s), event)}
    agreed = {scope: event for scope, event in guardians.items() if _permits(event, at, rules)}
    return {scope: _both(event, agreed[scope]) for scope, event in held.items() if scope in agreed}


def _permits(event: ConsentEvent, at: datetime, rules: Rules) -> bool:
    lasting = event.expires_at is None or at < event.expires_at
    standing = rules.notices is None or event.notice.sha256 in rules.notices
    return event.state.permits and lasting and standing


def _ended_by(guardian: ConsentEvent | None, own: ConsentEvent) -> bool:
    return guardian is not None and not guardian.state.permits and guardian.seq > own.seq


def _both(own: ConsentEvent, guardian: ConsentEvent) -> ConsentEvent:
    ends = [e.expires_at for e in (own, guardian) if e.expires_at is not None]
    return replace(
        own,
        covers_from=max(own.covers_from, guardian.covers_from),
        expires_at=min(ends) if ends else None,
    )


def decide(
    participant: str,
    events: Iterable[ConsentEvent],
    use: Use,
    at: datetime,
    rules: Rules = ANY,
    grants: Mapping[Scope, int] = MappingProxyType({}),
) -> Permit | Refusal:
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
    rules
        What the study demands of a grant.
    grants
        Ids of the grants in force by scope, for whoever is about to write; carried into the permit.

    Returns
    -------
    Permit or Refusal
        A permit covers instants from the latest `covers_from` of its scopes on.
    """
    held = in_force(events, at, rules)
    needed = sorted(SCOPES_OF[use], key=list(Scope).index)
    missing = tuple(scope for scope in needed if scope not in held)
    if missing:
        return Refusal(participant, use, missing)
    if use in NEEDS_CONFIRMATION:
        # Showing data to others rests on what the participant said in person, for each scope.
        unconfirmed = tuple(s for s in needed if held[s].recorder is not Recorder.PARTICIPANT)
        if unconfirmed:
            return Refusal(participant, use, (), unconfirmed)
    return Permit(participant, use, max(held[s].covers_from for s in needed), at, grants)
