"""Where each scope stands for a person, and why: what the consent page shows and ``consent show`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tracker.domain.consent import ConsentEvent, Recorder, Rules, Scope, Why
from tracker.privacy.consent import in_force

__all__ = ["Standing", "Why", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one scope stands.

    Parameters
    ----------
    scope, why
        Which, and why it is in force or not.
    own
        The participant's last word, or an operator's for them; None: they never said anything.
    guardian
        A guardian's last word; None where there is none, or the study asks for none.
    held
        The event on which it rests, with start and end as they hold; None where it is not in force.
    beaten
        An event of the same instant and the opposite word that stands before the last one in the log: the log's order
        counts, so it has lost.
    """

    scope: Scope
    why: Why
    own: ConsentEvent | None = None
    guardian: ConsentEvent | None = None
    held: ConsentEvent | None = None
    beaten: ConsentEvent | None = None

    @property
    def confirmed(self) -> bool:
        """Whether it is in force by the participant's own word."""
        return self.held is not None and self.held.recorder is Recorder.PARTICIPANT

    @property
    def said_yes(self) -> bool:
        """Whether the last own word allows it, so that it can be withdrawn, in force or not."""
        return self.own is not None and self.own.state.permits


def standing(events: Iterable[ConsentEvent], at: datetime, rules: Rules) -> dict[Scope, Standing]:
    """Tell where every scope stands at an instant.

    Parameters
    ----------
    events
        One person's events.
    at
        Events recorded after this instant are not seen.
    rules
        What the study demands at that instant.
    """
    seen = [e for e in sorted(events, key=lambda e: e.seq) if e.recorded_at <= at]
    held = in_force(seen, at, rules)
    own = _last(e for e in seen if e.recorder is not Recorder.GUARDIAN)
    guardians = _last(e for e in seen if rules.guardians and e.recorder is Recorder.GUARDIAN)
    return {
        scope: Standing(
            scope,
            _why(own.get(scope), scope in held, at, rules),
            own.get(scope),
            guardians.get(scope),
            held.get(scope),
            _beaten(seen, own.get(scope)),
        )
        for scope in Scope
    }


def _last(events: Iterable[ConsentEvent]) -> dict[Scope, ConsentEvent]:
    return {event.scope: event for event in events}


def _why(own: ConsentEvent | None, held: bool, at: datetime, rules: Rules) -> Why:
    if held:
        return Why.IN_FORCE
    if own is None:
        return Why.NEVER
    if not own.state.permits:
        return Why.ENDED
    if own.expires_at is not None and own.expires_at <= at:
        return Why.EXPIRED
    if rules.notices is not None and own.notice.sha256 not in rules.notices:
        return Why.NOTICE_CHANGED
    return Why.GUARDIAN


def _beaten(seen: Iterable[ConsentEvent], last: ConsentEvent | None) -> ConsentEvent | None:
    if last is None:
        return None
    rivals = [
        e
        for e in seen
        if e.scope is last.scope
        and e.recorded_at == last.recorded_at
        and e.state.permits != last.state.permits
        and (e.recorder is Recorder.GUARDIAN) == (last.recorder is Recorder.GUARDIAN)
    ]
    return rivals[-1] if rivals else None
