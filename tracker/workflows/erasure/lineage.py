"""What goes with a scope: read from the data map, so that what is declared there is what is erased.

A row rests on the ground of its table's first column, unless a column of another scope holds something in it: an
answer to a prompt rests on `prompts`, a learner's estimate on `personal_learning`. What derives from a row that goes
goes too, unless it is made anew without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.consent import Scope
from tracker.privacy.datamap import TABLES, Column, Ground, Stored
from tracker.store.extents import Extent, Extents

MADE_ANEW = frozenset({"summaries"})
"""Tables that are computed anew from what is left, whatever goes."""

REWRITTEN: dict[Scope, frozenset[str]] = {
    Scope.CONTEXT: frozenset({"learning_events"}),
    Scope.PROMPTS: frozenset({"learning_events"}),
    Scope.SHARE_WITH_RATERS: frozenset({"learning_events"}),
}
"""Tables whose rows can be rewritten as if what goes had never been: what derives from them is computed anew."""


def extents(scope: Scope) -> Extents:
    """Which rows of which tables go with a scope.

    Examples
    --------
    >>> sorted(extents(Scope.CONTEXT))
    ['contexts']
    >>> extents(Scope.PROMPTS)["corrections"]
    Extent(marks=('prompt',), unless=())
    """
    found = {stored.name: extent for stored in TABLES if (extent := _own(stored, scope)) is not None}
    kept = MADE_ANEW | REWRITTEN.get(scope, frozenset())
    while derived := [s for s in TABLES if s.name not in found and s.name not in kept and _derives(s, found)]:
        found |= {s.name: Extent() for s in derived if _of_a_scope(s)}
        kept |= {s.name for s in derived if not _of_a_scope(s)}
    return found


def anew(scope: Scope) -> frozenset[str]:
    """The tables that have to be computed anew after what a scope covers has gone."""
    gone = extents(scope)
    return frozenset(
        s.name for s in TABLES if s.name in MADE_ANEW and s.name not in gone and _derives(s, gone)
    )


def sealed_with(scope: Scope) -> frozenset[Scope]:
    """The other scopes of which nothing sealed is left when one goes: an old backup's must not open any more either.

    Examples
    --------
    >>> sorted(other.value for other in sealed_with(Scope.AFFECT_SERIES))
    ['face_crops', 'raw_video']
    >>> sealed_with(Scope.FACE_CROPS)
    frozenset()
    """
    gone = extents(scope)
    sealed = {
        (s.name, c.ground) for s in TABLES for c in s.columns if c.sealed and isinstance(c.ground, Scope)
    }
    left = {ground for table, ground in sealed if gone.get(table) != Extent()}
    return frozenset(ground for _, ground in sealed) - left - {scope}


def in_priors(scope: Scope) -> bool:
    """Whether a prior may hold something of what a scope covers.

    Examples
    --------
    >>> in_priors(Scope.CONTEXT), in_priors(Scope.FACE_CROPS)
    (True, False)
    """
    reached = {stored.name for stored in TABLES if _own(stored, scope) is not None}
    while derived := [s.name for s in TABLES if s.name not in reached and _derives(s, reached)]:
        reached.update(derived)
    return "priors" in reached


def _own(stored: Stored, scope: Scope) -> Extent | None:
    """The rows of a table that rest on a scope themselves."""
    main = stored.columns[0].ground
    others = [c for c in stored.columns if isinstance(c.ground, Scope) and c.ground is not main]
    if main is scope:
        return Extent(unless=_names(c for c in others if not c.also))
    marks = _names(c for c in others if c.ground is scope)
    return Extent(marks=marks) if marks else None


def _derives(stored: Stored, gone: Iterable[str]) -> bool:
    return any(origin.partition(".")[0] in gone for c in stored.columns for origin in c.derives_from)


def _of_a_scope(stored: Stored) -> bool:
    return not isinstance(stored.columns[0].ground, Ground)


def _names(columns: Iterable[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)
