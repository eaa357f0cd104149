"""When prompts fall due: the slots of one local day, a pure function of study, participant, date and zone.

The same arguments give the same slots in every process and after every restart, so nothing has to be planned ahead and
kept. A slot is named for its schedule, its local date and its number, and not for the zone: whoever travels in the
middle of a day meets no slot twice. Times are wall times where the participant is. A window is made of the minutes
whose wall time lies in it: a minute that the change of clocks leaves out is not there, one that it repeats is there
twice. A fixed time that is left out falls on the end of the gap; one that comes twice, on its first coming.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from tracker.domain.prompting import Because

DAY = 24 * 60
"""Minutes of a day on the wall; 24:00 is the end of one."""

EVERY_DAY = frozenset(range(7))

_MINUTE = timedelta(minutes=1)
_NAMED = re.compile(r"([a-z0-9-]+)(?::\d{4}-\d\d-\d\d:\d+|@\d{8}T\d{6}Z)")


class Event(StrEnum):
    """After what a prompt can be put."""

    FACE_AFTER_GAP = "face_after_gap"
    LEARNER_UNSURE = "learner_unsure"


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the day in which a number of prompts falls at random.

    Parameters
    ----------
    opens, closes
        Minutes of the day by the clock on the wall; the last one is outside.
    prompts
        How many.
    """

    opens: int
    closes: int
    prompts: int = 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one kind of prompt falls due: at fixed times, at random in windows, or after an event.

    Parameters
    ----------
    id
        Its name in the study.
    times
        Fixed minutes of the day.
    windows
        Random ones, in order, none over another.
    after
        The event that it follows, or None.
    unseen
        For how long no face had been seen, for `Event.FACE_AFTER_GAP`.
    days
        Weekdays, Monday is 0.
    apart
        Shortest time between two of its own random prompts.
    expires
        For how long it can be answered from when it was due.
    reminders, remind_after
        How often it is recalled to mind, and after how long each time.
    yields
        Whether it is withheld while the learner is confident that the person wants to be left alone.
    asks
        Targets to ask about.
    """

    id: str
    times: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()
    after: Event | None = None
    unseen: timedelta = timedelta(minutes=60)
    days: frozenset[int] = EVERY_DAY
    apart: timedelta = timedelta(0)
    expires: timedelta = timedelta(minutes=60)
    reminders: int = 0
    remind_after: timedelta = timedelta(minutes=15)
    yields: bool = True
    asks: tuple[str, ...] = ("emotion", "leave_me_alone")


@dataclass(frozen=True, slots=True)
class Plan:
    """All schedules of a study, with what holds for all of them.

    Parameters
    ----------
    seed
        What draws are made from, beside participant, schedule and date: the study's id.
    schedules
        In the order of the study file.
    quiet_from, quiet_until
        Minutes of the day between which nothing is put, also across midnight; equal for no quiet hours.
    gap
        Shortest time between any two prompts.
    """

    seed: str
    schedules: tuple[Schedule, ...] = ()
    quiet_from: int = 22 * 60
    quiet_until: int = 8 * 60
    gap: timedelta = timedelta(minutes=60)

    def quiet(self, local: datetime | time) -> bool:
        """Whether a wall time lies within the quiet hours (their end is outside).

        Examples
        --------
        >>> [Plan("s").quiet(time(h, m)) for h, m in ((21, 59), (22, 0), (7, 59), (8, 0))]
        [False, True, True, False]
        """
        minute = local.hour * 60 + local.minute
        return (minute - self.quiet_from) % DAY < (self.quiet_until - self.quiet_from) % DAY

    def schedule(self, id: str) -> Schedule | None:
        """The schedule of a name, or None."""
        return next((s for s in self.schedules if s.id == id), None)


@dataclass(frozen=True, slots=True)
class Slot:
    """One prompt that a day has room for.

    Attributes
    ----------
    name
        Unique for a participant, in whatever zone they are.
    schedule
        Whose it is.
    day
        The local date.
    at
        When it falls due (UTC).
    expires_at
        From when on it cannot be answered any more (UTC).
    lost
        Why it cannot be put on this day at all, or None.
    """

    name: str
    schedule: str
    day: date
    at: datetime
    expires_at: datetime
    lost: Because | None = None


@lru_cache(maxsize=8192)
def slots(plan: Plan, subject: str, day: date, zone: str) -> tuple[Slot, ...]:
    """The slots of one local day, in the order in which they fall due; after events there are none to plan.

    Fixed times have their place first; then each window draws among the minutes that keep the gap to what stands
    already. What has no room, because the clocks change or two prompts come too near, is there with the reason.

    Examples
    --------
    >>> plan = Plan("s", (Schedule("day", times=(9 * 60,), windows=(Window(600, 780, 2),)),))
    >>> [f"{s.name} {s.at:%H:%M}" for s in slots(plan, "ada", date(2026, 3, 2), "Europe/Berlin")]
    ['day:2026-03-02:0 08:00', 'day:2026-03-02:1 09:24', 'day:2026-03-02:2 10:24']
    """
    tz = ZoneInfo(zone)
    kept: list[datetime] = []
    found: list[Slot] = []
    today = [s for s in plan.schedules if day.weekday() in s.days]
    fixed = sorted((minute, n, s.id, s) for s in today for n, minute in enumerate(s.times))
    for minute, n, _, schedule in fixed:
        at, lost = _fixed(plan, day, minute, tz)
        if lost is None and any(abs(at - other) < plan.gap for other in kept):
            lost = Because.JUST_ASKED
        if lost is None:
            kept.append(at)
        found.append(_slot(schedule, day, n, at, lost))
    windows = sorted(
        (w.opens, s.id, sum(v.prompts for v in s.windows[:n]) + len(s.times), w, s)
        for s in today
        for n, w in enumerate(s.windows)
    )
    for _, _, first, window, schedule in windows:
        drawn = _drawn(plan, subject, schedule, window, first, day, tz, kept)
        for n in range(window.prompts):
            if n < len(drawn):
                kept.append(drawn[n])
                found.append(_slot(schedule, day, first + n, drawn[n], None))
            else:
                nominal = _instant(day, window.opens, tz)
                found.append(_slot(schedule, day, first + n, nominal, Because.NO_ROOM))
    return tuple(sorted(found, key=lambda slot: (slot.at, slot.name)))


def minutes_of(day: date, opens: int, closes: int, zone: ZoneInfo) -> list[datetime]:
    """The instants, a minute apart, whose wall time lies in [opens, closes) of a date: what a window is made of.

    Examples
    --------
    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> [len(minutes_of(date(2026, m, d), 60, 240, berlin)) for m, d in ((3, 28), (3, 29), (10, 25))]
    [180, 120, 240]
    """
    first = _wall(day, opens).replace(tzinfo=zone).astimezone(UTC)
    if _steady(first, closes - opens, _wall(day, opens), zone):
        return [first + n * _MINUTE for n in range(closes - opens)]
    found = set()
    for minute in range(opens, closes):
        wall = _wall(day, minute)
        for fold in (0, 1):
            at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if at.astimezone(zone).replace(tzinfo=None) == wall:
                found.add(at)
    return sorted(found)


def chance(*of: str) -> float:
    """A number in [0, 1) that looks drawn and follows from what it is of: the same in every process.

    Examples
    --------
    >>> chance("study", "subject", "slot") == chance("study", "subject", "slot")
    True
    """
    told = "\x1f".join(of).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:6]) / 2**48


def _fixed(plan: Plan, day: date, minute: int, zone: ZoneInfo) -> tuple[datetime, Because | None]:
    wall = _wall(day, minute)
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    local = at.astimezone(zone)
    if (gap := local.replace(tzinfo=None) - wall) != timedelta(0):
        # Left out: what stands after the gap, unless that is another day.
        at = _after_gap(at, gap, zone)
        local = at.astimezone(zone)
        if local.date() != day:
            return at, Because.NO_SUCH_TIME
    return at, Because.QUIET_HOURS if plan.quiet(local) else None


def _after_gap(at: datetime, gap: timedelta, zone: ZoneInfo) -> datetime:
    """The first minute after the change of clocks that left out a wall time; read past it, that is `at`."""
    before, after = at - gap, at
    offset = after.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + ((after - before) // 2 // _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _drawn(
    plan: Plan,
    subject: str,
    schedule: Schedule,
    window: Window,
    first: int,
    day: date,
    zone: ZoneInfo,
    kept: Sequence[datetime],
) -> list[datetime]:
    """Draw the prompts of one window, all ways to place them being equally likely; as many as there is room for."""
    room = [
        at
        for at in minutes_of(day, window.opens, window.closes, zone)
        if not plan.quiet(at.astimezone(zone)) and all(abs(at - other) >= plan.gap for other in kept)
    ]
    apart = max(-(-max(schedule.apart, plan.gap) // _MINUTE), 1)
    count = min(window.prompts, -(-len(room) // apart))
    # Floyd's draw of so many out of what is left once the distances are taken out; they are put back below.
    places: set[int] = set()
    free = len(room) - (count - 1) * (apart - 1)
    for n in range(count):
        last = free - count + n
        drawn = int(chance(plan.seed, subject, schedule.id, day.isoformat(), str(first + n)) * (last + 1))
        places.add(last if drawn in places else drawn)
    # Places in the list lie at least as far apart in time, so distances are kept whatever is missing from it.
    return [room[place + n * (apart - 1)] for n, place in enumerate(sorted(places))]


def _steady(first: datetime, minutes: int, wall: datetime, zone: ZoneInfo) -> bool:
    """Whether no clock changes within four hours of a stretch of minutes, and its first one is where it seems to be."""
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        return False
    hours = range(-4, -(-minutes // 60) + 5)
    return len({(first + timedelta(hours=n)).astimezone(zone).utcoffset() for n in hours}) == 1


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60))


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return _wall(day, minute).replace(tzinfo=zone).astimezone(UTC)


def _slot(schedule: Schedule, day: date, n: int, at: datetime, lost: Because | None) -> Slot:
    return Slot(f"{schedule.id}:{day.isoformat()}:{n}", schedule.id, day, at, at + schedule.expires, lost)


def days_around(now: datetime, zone: str, back: int) -> Iterable[date]:
    """The local dates from some days back to today, in order.

    Examples
    --------
    >>> [d.day for d in days_around(datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "Europe/Berlin", 2)]
    [1, 2, 3]
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    return (today - timedelta(days=n) for n in range(back, -1, -1))


def event_name(schedule: str, at: datetime) -> str:
    """The name of the slot after an event: by its instant, which no change of zone moves.

    Examples
    --------
    >>> event_name("face", datetime(2026, 3, 2, 12, 5, 9, tzinfo=UTC))
    'face@20260302T120509Z'
    """
    return f"{schedule}@{at.astimezone(UTC):%Y%m%dT%H%M%S}Z"


def schedule_of(slot: str) -> str | None:
    """Whose slot a name is; None where it is no schedule's.

    Examples
    --------
    >>> schedule_of("day:2026-03-02:1"), schedule_of("face@20260302T120509Z"), schedule_of("asked-1")
    ('day', 'face', None)
    """
    found = _NAMED.fullmatch(slot)
    return found[1] if found else None
