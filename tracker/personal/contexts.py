"""The context of a moment: joined as of an instant, and taken out of features again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tracker.domain.series import CONTEXT_HOLDS, Context
from tracker.learning.features import ContextAt

AGE = "context_age"
_PREFIXES = ("place=", "activity=", "company=", AGE)


def context_at(contexts: Sequence[Context], at: datetime) -> ContextAt | None:
    """Join contexts as of an instant: the last one before it speaks, for at most two hours.

    Parameters
    ----------
    contexts
        In order of time.
    at
        The instant.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> context_at([Context(noon, place="home")], noon.replace(hour=13))
    ContextAt(place='home', activity=None, company=None, age_s=3600.0)
    >>> context_at([Context(noon, place="home")], noon.replace(hour=15)) is None
    True
    """
    latest: Context | None = None
    for context in contexts:
        if context.at <= at:
            latest = context
    if latest is None or at - latest.at > CONTEXT_HOLDS:
        return None
    return ContextAt(latest.place, latest.activity, latest.company, (at - latest.at).total_seconds())


def without_context(features: Mapping[str, float]) -> dict[str, float]:
    """An emotion learner's features without what a context said.

    Examples
    --------
    >>> without_context({"read": 1.0, "place=home": 1.0, "context_age": 0.5})
    {'read': 1.0}
    """
    return {k: v for k, v in features.items() if not k.startswith(_PREFIXES)}
