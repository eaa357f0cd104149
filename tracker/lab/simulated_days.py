"""Where a SIMULATED person is, what they do and with whom, hour by hour on their own clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tracker.lab.simulated_person import Person

Stay = tuple[float, str, str, str, float]
"""Until which hour of the day, place, activity, company, and the share of it spent before the camera."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a day, ``[start, end)`` in UTC, with one context.

    `camera` is the share of it that the person spends in front of the camera.
    """

    start: datetime
    end: datetime
    place: str
    activity: str
    company: str
    camera: float


def plan(rng: np.random.Generator, person: Person, zone: ZoneInfo, start: date, days: int) -> list[Segment]:
    """Plan `days` local days without gaps or overlaps, from the local midnight of `start` on."""
    segments: list[Segment] = []
    cursor = local_instant(zone, start, 0.0)
    for day in range(days):
        today = start + timedelta(days=day)
        last = day == days - 1
        for until, place, activity, company, camera in _stays(rng, person, weekend=today.weekday() >= 5):
            end = local_instant(zone, today, min(until, 24.0) if last else until)
            if end > cursor:
                segments.append(Segment(cursor, end, place, activity, company, camera))
                cursor = end
    close = local_instant(zone, start + timedelta(days=days), 0.0)
    if cursor < close:
        segments.append(Segment(cursor, close, "home", "sleeping", "alone", 0.0))
    return segments


def local_instant(zone: ZoneInfo, day: date, hour: float) -> datetime:
    """Convert a local wall-clock hour (24 and more: the next day's) to UTC, whatever the clocks do.

    Examples
    --------
    >>> local_instant(ZoneInfo("Europe/Berlin"), date(2025, 3, 30), 12.0).hour
    10
    """
    naive = datetime.combine(day, time()) + timedelta(seconds=round(hour * 3600))
    return naive.replace(tzinfo=zone).astimezone(UTC)


def _stays(rng: np.random.Generator, person: Person, *, weekend: bool) -> list[Stay]:
    late = rng.exponential(0.8) if weekend else 0.0
    wake = person.wake + late + rng.normal(0, 0.25)
    bed = person.bed + 0.7 * late + rng.normal(0, 0.35)
    morning: list[Stay] = [(wake, "home", "sleeping", "alone", 0.0)]
    day = _free_day(rng, wake) if weekend else _working_day(rng, wake, rng.random() < person.home_office)
    return morning + day + _evening(rng, day[-1][0], bed)


def _working_day(rng: np.random.Generator, wake: float, from_home: bool) -> list[Stay]:
    begin = wake + rng.normal(1.5, 0.15)
    noon = begin + rng.normal(3.6, 0.2)
    back = noon + rng.normal(0.8, 0.1)
    done = back + rng.normal(4.2, 0.4)
    if from_home:
        return [
            (begin, "home", "household", "alone", 0.2),
            (noon, "home", "working", "alone", 0.85),
            (back, "home", "eating", "alone", 0.1),
            (done, "home", "working", "alone", 0.85),
        ]
    who = "colleagues" if rng.random() < 0.7 else "alone"
    return [
        (begin - 0.6, "home", "household", "partner" if rng.random() < 0.5 else "alone", 0.2),
        (begin, "transit", "commuting", "alone", 0.0),
        (noon, "work", "working", who, 0.8),
        (back, "canteen", "eating", "colleagues", 0.0),
        (done, "work", "working", who, 0.8),
        (done + 0.6, "transit", "commuting", "alone", 0.0),
    ]


def _free_day(rng: np.random.Generator, wake: float) -> list[Stay]:
    brunch = wake + rng.normal(1.8, 0.3)
    out = brunch + rng.normal(3.0, 0.6)
    outing = [("outdoors", "sport", "friends"), ("shops", "household", "partner")][int(rng.integers(2))]
    return [
        (wake + 0.7, "home", "eating", "partner", 0.15),
        (brunch, "home", "relaxing", "partner", 0.55),
        (out, *outing, 0.0),
        (out + rng.normal(3.0, 0.4), "home", "relaxing", "alone" if rng.random() < 0.5 else "partner", 0.7),
    ]


def _evening(rng: np.random.Generator, begin: float, bed: float) -> list[Stay]:
    company = "partner" if rng.random() < 0.6 else "alone"
    kind = rng.choice(["in", "sport", "friends"], p=[0.5, 0.25, 0.25])
    home = begin + (rng.normal(1.9, 0.2) if kind != "in" else 0.0)
    out: list[Stay] = []
    if kind == "sport":
        out = [(home, "gym", "sport", "alone", 0.0)]
    elif kind == "friends":
        out = [(home, "restaurant", "socialising", "friends", 0.0)]
    dinner = home + rng.normal(0.9, 0.1)
    return [
        *out,
        (dinner, "home", "eating", company, 0.1),
        (max(bed, dinner + 0.5), "home", "relaxing", company, 0.65),
    ]
