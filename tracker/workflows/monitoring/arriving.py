"""What arrives of somebody's series, day by day, and why the rest does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.consent import Scope
from tracker.domain.instants import first_day
from tracker.domain.series import Reason
from tracker.privacy.uncovered import not_allowed
from tracker.store import hiding, summaries

LONG = timedelta(hours=24)
"""From how long on it is told that nothing came."""

SLACK = timedelta(hours=1)


@dataclass(slots=True)
class Day:
    """What came on one local day.

    Attributes
    ----------
    read
        Moments in which a face was read.
    without
        Moments in which none was, by reason.
    """

    read: int = 0
    without: Counter[Reason] = field(default_factory=Counter)


class Because(StrEnum):
    """Why nothing arrived."""

    NOT_ALLOWED = "not_allowed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Gap:
    """A day or more without a moment; `why` is None where nothing is known of it."""

    start: datetime
    end: datetime
    why: Because | None


@dataclass(frozen=True, slots=True)
class Arriving:
    """What arrived of one person in the last days.

    Attributes
    ----------
    last
        The last quarter hour of which anything arrived; None where nothing did in these days.
    days
        By local day; days of which nothing arrived are not there.
    gaps
        In order of time.
    first
        The first of the days that were asked for, that the person lets be seen, and that are kept still.
    """

    last: datetime | None
    days: dict[date, Day]
    gaps: tuple[Gap, ...]
    first: date


def arriving(unit: Unit, since: datetime, days: int) -> Arriving:
    """What arrived of the person of a unit in their last days.

    Quarter hours of which the person hides anything are left out whole, as if nothing had come: that they hide
    something is theirs to know, so what is told is what would be told had they not been there.

    Parameters
    ----------
    since
        From which instant on they let it be seen.
    """
    zone = ZoneInfo(unit.person.zone)
    midnight = datetime.combine(first_day(unit.now, zone, days), datetime.min.time(), zone)
    horizons = unit.horizons()
    # Before that nothing is kept any more: what is gone is no gap.
    start = max(midnight, since, horizons.get(Scope.AFFECT_SERIES, since))
    names = [summaries.MACHINE_SERIES, *(f"reason:{reason.value}" for reason in Reason)]
    subject = unit.person.subject
    rows = summaries.read_summaries(unit.connection, subject, start, unit.now, names, horizons=horizons)
    hidden = hiding.stretches(unit.connection, subject)
    found: dict[date, Day] = {}
    filled: set[datetime] = set()
    for bucket, name, n, _ in rows:
        end = bucket + summaries.BUCKET
        # A sum cannot be cut: the quarter hour in which sharing began is left out with what came before it.
        if bucket < since or any(s.start < end and s.end > bucket for s in hidden):
            continue
        day = found.setdefault(bucket.astimezone(zone).date(), Day())
        if name == summaries.MACHINE_SERIES:
            day.read += n
        else:
            day.without[Reason(name.partition(":")[2])] += n
        filled.add(bucket)
    # To tell no gaps of whoever hides something would tell that they do.
    gaps = tuple(_gaps(unit, sorted(filled), start))
    return Arriving(max(filled, default=None), found, gaps, start.astimezone(zone).date())


def _gaps(unit: Unit, filled: list[datetime], start: datetime) -> Iterator[Gap]:
    refused = not_allowed(unit.events, start, unit.now)
    pause = unit.person.paused_at
    begin = start
    for at in [*filled, unit.now]:
        if at - begin >= LONG:
            # An hour at either end is not the reason: consent and pictures never end in the same second.
            away = any(s.start <= begin + SLACK and s.end >= at - SLACK for s in refused)
            paused = pause is not None and pause <= begin + SLACK and at == unit.now
            yield Gap(begin, at, Because.NOT_ALLOWED if away else Because.PAUSED if paused else None)
        begin = max(begin, at + summaries.BUCKET)
