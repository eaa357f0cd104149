"""A unit of work on one person: a transaction, their consent in it, and the permits that it yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    Why,
)
from tracker.domain.people import Person
from tracker.privacy.consent import decide, in_force
from tracker.privacy.standing import Standing, standing
from tracker.store.database import Connection
from tracker.study import DEFAULT, Study, horizons, readable_from, taken_from


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
    study
        The study that governs, as this transaction sees it.
    """

    connection: Connection
    person: Person
    now: datetime
    events: tuple[ConsentEvent, ...]
    rules: Rules
    grants_held: Mapping[Scope, int] = field(default_factory=lambda: MappingProxyType({}))
    study: Study = DEFAULT

    def permit(self, use: Use) -> Permit:
        """Return a permit, or raise `ConsentMissingError` naming the missing scopes and why they are."""
        decision = self._decide(use)
        if isinstance(decision, Refusal):
            stands = self.standing()
            why = {scope: self._why(stands[scope]) for scope in decision.missing}
            raise ConsentMissingError(replace(decision, why=why), self.person.name)
        return decision

    def allowed(self, use: Use) -> Permit | None:
        """Return a permit, or None."""
        decision = self._decide(use)
        return decision if isinstance(decision, Permit) else None

    def capture_permit(self) -> Permit:
        """Return a permit to store the series, as far back as the study takes it in.

        Raises
        ------
        PausedError
            While the person has paused.
        StudyClosedError
            When the study is closed.
        """
        permit = self.permit(Use.STORE_SERIES)
        self.study.demand_open("nothing more is stored")
        if self.person.paused_at is not None:
            raise PausedError(self.person.name, self.person.paused_at)
        return self.taking(permit, Scope.AFFECT_SERIES)

    def taking(self, permit: Permit, scope: Scope) -> Permit:
        """A permit to write rows of a scope, reaching back no further than the study's retention."""
        start = taken_from(self.study, scope, self.now)
        return _from(permit, start)

    def readable_from(self, scope: Scope) -> datetime | None:
        """The instant from which on rows of a scope may be read at all; None: every one that there is."""
        return readable_from(self.study, scope, self._decided_at())

    def horizons(self) -> dict[Scope, datetime]:
        """`readable_from` of each scope that is not kept without end: what every reading of rows leaves out."""
        return horizons(self.study, self._decided_at())

    def keeping(self, permit: Permit, scope: Scope) -> Permit:
        """A permit to write rows of a scope about moments that can be read at all."""
        start = self.readable_from(scope)
        return _from(permit, start)

    def grants(self) -> dict[Scope, ConsentEvent]:
        """The event on which each granted scope rests now."""
        return in_force(self.events, self._decided_at(), self.rules)

    def standing(self) -> dict[Scope, Standing]:
        """Where each scope stands now, and why."""
        return standing(self.events, self._decided_at(), self.rules)

    def _why(self, stand: Standing) -> Why:
        # A guardian whom the study does not ask for can end a grant, and gives none.
        return Why.ENDED if stand.why is Why.GUARDIAN and not self.rules.guardians else stand.why

    def _decide(self, use: Use) -> Permit | Refusal:
        return decide(self.person.id, self.events, use, self._decided_at(), self.rules, self.grants_held)

    def _decided_at(self) -> datetime:
        # What this transaction sees has committed, and counts: a caller whose clock runs behind that of
        # the process that recorded a withdrawal must not write past it.
        return max(self.now, *(event.recorded_at for event in self.events)) if self.events else self.now


def _from(permit: Permit, start: datetime | None) -> Permit:
    if start is None:
        return permit
    return replace(permit, covers_from=max(permit.covers_from, start), kept_from=start)
