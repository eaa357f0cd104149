"""The slots of a day: the same every time, apart as they should be, wherever the clocks are."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.processes import CONTEXT
from tracker.domain.prompting import Because
from tracker.domain.schedules import DAY, Plan, Schedule, Window, minutes_of, slots

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC")
MINUTE = timedelta(minutes=1)
MARCH = date(2026, 3, 20)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Schedules as a careless study might have them: some will not fit."""
    edges = sorted(draw(st.lists(st.integers(0, DAY // 10), min_size=2, max_size=8, unique=True)))
    windows = tuple(
        Window(10 * a, 10 * b, draw(st.integers(1, 5)))
        for a, b in list(pairwise(edges))[:: draw(st.integers(1, 2))]
    )
    times = tuple(sorted(draw(st.sets(st.integers(0, DAY - 1), max_size=4))))
    random = Schedule(
        "random",
        windows=windows,
        apart=draw(st.integers(0, 90)) * MINUTE,
        days=frozenset(draw(st.sampled_from([range(7), range(5), (5, 6)]))),
    )
    return Plan(
        draw(st.sampled_from(["one", "other"])),
        (Schedule("fixed", times=times), random),
        quiet_from=draw(st.integers(0, DAY - 1)),
        quiet_until=draw(st.integers(0, DAY - 1)),
        gap=draw(st.integers(0, 120)) * MINUTE,
    )


@given(plans(), st.sampled_from(ZONES), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_every_slot_of_every_plan_keeps_what_holds_for_it(plan: Plan, zone: str, day: date) -> None:
    found = slots(plan, "ada", day, zone)
    names = [slot.name for slot in found]
    assert len(set(names)) == len(names)
    wanted = sum(
        len(s.times) + sum(w.prompts for w in s.windows) for s in plan.schedules if day.weekday() in s.days
    )
    assert len(found) == wanted, "none is left out: what has no room is there with the reason"
    kept = [slot for slot in found if slot.lost is None]
    for slot in kept:
        local = slot.at.astimezone(ZoneInfo(zone))
        assert local.date() == day
        assert not plan.quiet(local)
        assert slot.expires_at > slot.at
    assert all(b.at - a.at >= plan.gap for a, b in pairwise(kept))
    random = [slot for slot in kept if slot.schedule == "random"]
    windows = plan.schedules[1].windows
    for one, other in pairwise(random):
        numbers = [int(s.name.rpartition(":")[2]) for s in (one, other)]
        owners = [next(w for w in windows if _holds(w, s.at, zone)) for s in (one, other)]
        assert numbers[0] < numbers[1] or owners[0] is not owners[1]
        if owners[0] is owners[1]:
            assert other.at - one.at >= plan.schedules[1].apart
    slots.cache_clear()
    assert slots(plan, "ada", day, zone) == found


def _holds(window: Window, at: datetime, zone: str) -> bool:
    local = at.astimezone(ZoneInfo(zone))
    return window.opens <= local.hour * 60 + local.minute < window.closes


def _elsewhere(plan: Plan) -> list[str]:
    return [slot.at.isoformat() for slot in slots(plan, "ada", MARCH, "Europe/Berlin")]


def test_another_process_draws_the_same() -> None:
    plan = Plan("s", (Schedule("day", windows=(Window(600, 900, 3),)),))
    with CONTEXT.Pool(1) as pool:
        assert pool.apply(_elsewhere, (plan,)) == _elsewhere(plan)


def test_people_days_schedules_and_studies_draw_differently() -> None:
    windows = (Window(480, 1320, 3),)

    def drawn(seed: str = "s", subject: str = "ada", name: str = "day", day: date = MARCH) -> list[time]:
        plan = Plan(seed, (Schedule(name, windows=windows),), gap=MINUTE)
        return [slot.at.time() for slot in slots(plan, subject, day, "UTC")]

    others = [drawn(seed="t"), drawn(subject="bob"), drawn(name="other"), drawn(day=date(2026, 3, 21))]
    assert all(other != drawn() for other in others)


def test_every_minute_of_a_window_has_its_turn_equally_often() -> None:
    """One hour, two prompts 20 minutes apart: every pair that may be is as likely as every other."""
    plan = Plan("s", (Schedule("day", windows=(Window(600, 625, 2),)),), gap=20 * MINUTE)
    start = datetime(2026, 3, 20, 10, tzinfo=UTC)
    drawn = Counter(
        tuple((slot.at - start) // MINUTE for slot in slots(plan, f"p{n}", MARCH, "UTC")) for n in range(6000)
    )
    pairs = [(a, b) for a in range(25) for b in range(a + 20, 25)]
    assert set(drawn) == set(pairs)
    expected = 6000 / len(pairs)
    chi2 = sum((drawn[pair] - expected) ** 2 / expected for pair in pairs)
    assert chi2 < 36.1, (
        "chi-squared of 14 degrees of freedom, p = .001; the draws are fixed, so it cannot flicker"
    )


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2026, 3, 29), 120), (date(2026, 3, 28), 180), (date(2026, 10, 25), 240)]
)
def test_a_window_is_the_minutes_that_its_clock_shows(day: date, minutes: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = minutes_of(day, 60, 240, zone)
    assert len(found) == len(set(found)) == minutes
    assert all(60 <= at.astimezone(zone).hour * 60 + at.astimezone(zone).minute < 240 for at in found)


@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.integers(0, DAY - 1),
    st.integers(1, 400),
)
def test_the_short_way_to_a_windows_minutes_finds_what_looking_at_all_of_them_does(
    zone: str, day: date, opens: int, length: int
) -> None:
    closes, tz = min(opens + length, DAY), ZoneInfo(zone)
    first = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    every = (first + n * MINUTE for n in range(54 * 60))
    slow = [
        at
        for at in every
        if (local := at.astimezone(tz)).date() == day and opens <= local.hour * 60 + local.minute < closes
    ]
    assert minutes_of(day, opens, closes, tz) == slow


def test_a_fixed_time_that_is_left_out_falls_on_the_end_of_the_gap() -> None:
    night = Plan("s", (Schedule("night", times=(130, 150)),), quiet_from=0, quiet_until=0, gap=MINUTE)
    first, second = slots(night, "ada", date(2026, 3, 29), "Europe/Berlin")
    assert first.at == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 03:00 there
    assert (second.at, second.lost) == (first.at, Because.JUST_ASKED)
    twice = slots(night, "ada", date(2026, 10, 25), "Europe/Berlin")
    assert [slot.at.hour for slot in twice] == [0, 0]  # the first of the two


def test_on_a_day_that_a_calendar_leaves_out_nothing_is_asked_and_all_of_it_is_told() -> None:
    plan = Plan("s", (Schedule("day", times=(600,), windows=(Window(700, 800),)),))
    lost = slots(plan, "ada", date(2011, 12, 30), "Pacific/Apia")
    assert [slot.lost for slot in lost] == [Because.NO_SUCH_TIME, Because.NO_ROOM]
