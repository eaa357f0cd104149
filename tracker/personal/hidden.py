"""What a learner may not take in because the person hides it, or has had it erased: events, contexts, the past."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Unit
from tracker.domain.stretches import Stretch, any_holds, any_touches
from tracker.learning.features import MAX_CONTEXT_AGE_S
from tracker.personal.contexts import AGE, without_context
from tracker.store import hiding, stretches
from tracker.store.learned import LearnedRow
from tracker.store.seen import Seen

_NEAR = timedelta(milliseconds=1)
"""How exactly the instant of a context is known from its age in features."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Stretches of one person, and what of theirs lies in them.

    Parameters
    ----------
    stretches
        In order of time.
    contexts
        The instants of contexts in them, in order.
    said
        The moments of answers to one target that rest on something in them, in order.
    """

    stretches: Sequence[Stretch] = ()
    contexts: Sequence[datetime] = ()
    said: Sequence[datetime] = ()

    @classmethod
    def of(cls, unit: Unit, target: str) -> Hidden:
        """What the person of a unit hides from their learner of a target."""
        return cls.within(unit, target, hiding.stretches(unit.connection, unit.person.subject))

    @classmethod
    def within(cls, unit: Unit, target: str, found: Sequence[Stretch]) -> Hidden:
        """What lies in some stretches."""
        if not found:
            return cls()
        connection, subject = unit.connection, unit.person.subject
        return cls(
            found,
            stretches.contexts_in(connection, subject, found),
            stretches.said_in(connection, subject, target, found),
        )

    def holds(self, row: LearnedRow) -> bool:
        """Whether an event speaks of one of the stretches, answers a prompt of it, or looked at something in it."""
        if row.prompted_at is not None and any_holds(self.stretches, row.prompted_at):
            return True
        first, last = min(row.said_at, row.seen_at), max(row.said_at, row.seen_at)
        if row.seen.seen_from is not None:  # everything from then on was looked at
            return any_touches(self.stretches, min(first, row.seen.seen_from), last)
        return any_holds(self.stretches, row.said_at) or any_holds(self.stretches, row.seen_at)

    def in_contexts(self, seen: Seen, at: datetime) -> bool:
        """Whether the features of a moment may rest on a context in one of the stretches."""
        return seen.context_from is not None and _any(self.contexts, seen.context_from, at)

    def in_past(self, seen: Seen, at: datetime) -> bool:
        """Whether the features of a moment may rest on an answer about one of the stretches."""
        return seen.past_from is not None and _any(self.said, seen.past_from, at)

    def out_of_moment(self, features: Mapping[str, float], at: datetime) -> Mapping[str, float]:
        """An emotion learner's features, without a context from one of the stretches."""
        if not self.contexts or AGE not in features:
            return features
        said = at - timedelta(seconds=features[AGE] * MAX_CONTEXT_AGE_S)
        return without_context(features) if _any(self.contexts, said - _NEAR, said + _NEAR) else features


def _any(instants: Sequence[datetime], first: datetime, last: datetime) -> bool:
    """Whether one of some instants, in order, lies from `first` to `last`."""
    i = bisect_left(instants, first)
    return i < len(instants) and instants[i] <= last
