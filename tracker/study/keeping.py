"""How far back rows of a scope may be read: pure functions of a study and an instant.

The filter needs no job: from the deadline on nothing reads the rows, and the next run of retention erases
them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tracker.domain.consent import Scope
from tracker.study.whole import Study, days_of


def kept_days(study: Study, scope: Scope) -> int | None:
    """For how many days after their moment rows of a scope are kept; None: until they are erased.

    What hangs on other rows (a face picture on its observation) is kept no longer than those.

    Examples
    --------
    >>> from tracker.study.parts import Retention
    >>> from tracker.study.whole import DEFAULT
    >>> month = DEFAULT.model_copy(update={"retention": Retention(affect_series=30, face_crops=90)})
    >>> kept_days(month, Scope.FACE_CROPS), kept_days(month, Scope.CONTEXT)
    (30, None)
    """
    return days_of(study, scope)


def readable_from(study: Study, scope: Scope, now: datetime) -> datetime | None:
    """The instant from which on rows of a scope may be read; None: all of them.

    Parameters
    ----------
    study
        The study in force.
    scope
        What the rows rest on.
    now
        When they are read (UTC).

    Examples
    --------
    >>> from datetime import UTC
    >>> from tracker.study.parts import Retention
    >>> from tracker.study.whole import DEFAULT
    >>> month = DEFAULT.model_copy(update={"retention": Retention(context=30)})
    >>> readable_from(month, Scope.CONTEXT, datetime(2026, 3, 31, tzinfo=UTC)).isoformat()
    '2026-03-01T00:00:00+00:00'
    >>> readable_from(DEFAULT, Scope.CONTEXT, datetime(2026, 3, 31, tzinfo=UTC)) is None
    True
    """
    days = days_of(study, scope)
    return None if days is None else now - timedelta(days=days)


def horizons(study: Study, now: datetime) -> dict[Scope, datetime]:
    """`readable_from` of every scope that is not kept without end."""
    return {scope: at for scope in Scope if (at := readable_from(study, scope, now)) is not None}


def coarse_from(study: Study, now: datetime) -> datetime | None:
    """The instant before which the series is kept only by the minute or the hour; None: nowhere."""
    steps = study.coarsening.affect_series
    return now - timedelta(days=steps[0].after_days) if steps else None


def taken_from(study: Study, scope: Scope, now: datetime) -> datetime | None:
    """The instant from which on new rows of a scope are taken in; None: all of them.

    Older moments would be unreadable at once; and moments that were coarsened already cannot be told from
    new ones, so they would be counted twice.
    """
    ends = [readable_from(study, scope, now)]
    if scope is Scope.AFFECT_SERIES:
        ends.append(coarse_from(study, now))
    return max((end for end in ends if end is not None), default=None)
