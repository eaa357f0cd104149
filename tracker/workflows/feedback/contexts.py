"""What surrounded the person: place, activity and company, as categories."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.instants import require_past
from tracker.domain.people import Person
from tracker.domain.series import Context
from tracker.domain.texts import unkeepable
from tracker.store import feedback

LONGEST_WORD = 64
"""Characters of a place, an activity or a company: they are categories, not notes."""


class ContextError(ValueError):
    """A context says nothing, or too much."""


def add_context(access: Access, person: Person, context: Context, now: datetime) -> int:
    """Store what surrounded the person from an instant on.

    Raises
    ------
    ContextError
        When neither place nor activity nor company is given, or one is longer than `LONGEST_WORD`
        or holds what no text has.
    InstantError
        When the instant is naive or in the future.
    ConsentMissingError
        Without the scopes affect_series and context.
    """
    context = checked_context(context, now)
    with access.write(person.id, now) as unit:
        return keep_context(unit, context)


def checked_context(context: Context, now: datetime) -> Context:
    """Give a context as it is kept: without space around its words, empty ones left out.

    Raises
    ------
    ContextError, InstantError
        As `add_context` does.
    """
    at = require_past(context.at, now)
    said = [(text or "").strip() or None for text in (context.place, context.activity, context.company)]
    if not any(said):
        raise ContextError("a context needs at least one of place, activity and company")
    for word in said:
        if found := unkeepable(word or ""):
            raise ContextError(f"place, activity or company holds {found}, which no text has; leave it out")
    longest = max(len(word or "") for word in said)
    if longest > LONGEST_WORD:
        raise ContextError(
            f"place, activity and company have at most {LONGEST_WORD} characters, not {longest}; use a category"
        )
    return replace(context, at=at, place=said[0], activity=said[1], company=said[2])


def keep_context(unit: Unit, context: Context) -> int:
    """Store a context that was `checked_context`, in a writing unit; return its id."""
    unit.study.demand_open("no context is stored")
    permit = unit.keeping(unit.permit(Use.KEEP_CONTEXT), Scope.CONTEXT)
    return feedback.add_context(
        unit.connection, permit, unit.person.subject, unit.person.zone, context, unit.now
    )
