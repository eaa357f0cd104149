"""Delete what one scope covers, and compute anew what was derived from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tracker import personal
from tracker.access import Unit
from tracker.domain.consent import Scope, Use
from tracker.store import erasing, extents, repeats
from tracker.store.factors import Owner
from tracker.store.seen import Seen
from tracker.store.summaries import summarise_again
from tracker.workflows.erasure import lineage
from tracker.workflows.erasure.errors import rows_left


def delete(unit: Unit, scope: Scope) -> dict[str, int]:
    """Delete in a writing unit; return how many rows went or changed, by table."""
    connection, person = unit.connection, unit.person
    learns = personal.live(unit)
    # What programs were answered can hold copies of anything.
    repeats.forget_of(connection, Owner(person.id, None))
    rows = lineage.extents(scope)
    counts = extents.delete_extents(connection, person.subject, person.id, rows)
    if rewrite := _REWRITE.get(scope):
        if changed := erasing.rewrite_seen(connection, person.subject, rewrite):
            counts["learning_events"] = counts.get("learning_events", 0) + changed
        if learns:
            # Learners are caches of what they learned: one that never saw it takes the place of each.
            allowed = unit.allowed(Use.LEARN) is not None
            again = [p.snapshot.id for p in personal.renew_all(unit)] if allowed else []
            if gone := erasing.delete_snapshots(connection, person.subject, but=again):
                counts["snapshots"] = gone
    if lineage.anew(scope) and rows:
        summarise_again(connection, person.subject)
    if left := extents.left_of_extents(connection, person.subject, person.id, rows):
        raise rows_left(left)
    return counts


def _without_context(target: str, seen: Seen) -> Seen:
    if target == personal.EMOTION:
        return replace(seen, features=personal.without_context(seen.features))
    return personal.forget_contexts(seen)


def _without_answers(_: str, seen: Seen) -> Seen:
    return personal.forget_past(seen) if seen.prompts_from is not None else seen


_REWRITE: dict[Scope, Callable[[str, Seen], Seen]] = {
    Scope.CONTEXT: _without_context,
    Scope.PROMPTS: _without_answers,
    # What was seen holds no word of a rater; what was learned from one goes with it.
    Scope.SHARE_WITH_RATERS: lambda _, seen: seen,
}
"""For each scope in `lineage.REWRITTEN`: what was seen, as if what goes had never been."""
