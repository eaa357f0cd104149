"""A unit of work on one person: a transaction, their consent in it, and the permits that it yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from tracker.domain.consent import (
    ConsentEvent,
    ConsentMissingError,
    PausedError,
    Permit,
    Refusal,
    Rules,
    Scope,
    Use,
)
from tracker.domain.people import Person
from tracker.privacy.consent import decide, in_force
from tracker.store.database import Connection


@dataclass(frozen=True)
class Unit:
    """A unit of work on one person.

    Attributes
    ----------
    connection
        The transaction.
    person
        Whose it is.
    now
        The instant at which consent is decided (UTC).
    events
        The person's consent events as this transaction sees them, evidence opened.
    rules
        What the study demands of a grant.
    grants_held
        Ids of the grants in force, under which rows are written; empty in a reading unit.
    """

    connection: Connection
    person: Person
    now: datetime
    events: tuple[ConsentEvent, ...]
    rules: Rules
    grants_held: Mapping[Scope, int] = field(default_factory=lambda: MappingProxyType({}))

    def permit(self, use: Use) -> Permit:
        """Return a permit, or raise `ConsentMissingError` naming the missing scopes."""
        decision = self._decide(use)
        if isinstance(decision, Refusal):
            raise ConsentMissingError(decision, self.person.name)
        return decision

    def allowed(self, use: Use) -> Permit | None:
        """Return a permit, or None."""
        decision = self._decide(use)
        return decision if isinstance(decision, Permit) else None

    def capture_permit(self) -> Permit:
        """Return a permit to store the series; raise `PausedError` while the person has paused."""
        permit = self.permit(Use.STORE_SERIES)
        if self.person.paused_at is not None:
            raise PausedError(self.person.name, self.person.paused_at)
        return permit

    def grants(self) -> dict[Scope, ConsentEvent]:
        """The event on which each granted scope rests now."""
        return in_force(self.events, self._decided_at(), self.rules)

    def _decide(self, use: Use) -> Permit | Refusal:
        return decide(self.person.id, self.events, use, self._decided_at(), self.rules, self.grants_held)

    def _decided_at(self) -> datetime:
        # What this transaction sees has committed, and counts: a caller whose clock runs behind that of
        # the process that recorded a withdrawal must not write past it.
        return max(self.now, *(event.recorded_at for event in self.events)) if self.events else self.now
