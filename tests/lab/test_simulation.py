from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.affect import Emotion
from tracker.lab.simulation import Life, simulate

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = date(2025, 3, 10)  # thirty days with a change to summer time in the middle


@cache
def month(seed: int = 5, bias: float = 0.6) -> Life:
    return simulate(seed, BERLIN, SPRING, 30, bias=bias)


def test_the_same_seed_lives_the_same_life_and_another_does_not() -> None:
    assert simulate(5, BERLIN, SPRING, 3) == simulate(5, BERLIN, SPRING, 3)
    assert simulate(5, BERLIN, SPRING, 3) != simulate(6, BERLIN, SPRING, 3)
    assert simulate(5, BERLIN, datetime(2025, 3, 10, 17), 3) == simulate(5, BERLIN, SPRING, 3)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    st.integers(1, 4),
)
def test_every_life_is_in_order_and_inside_its_days(seed: int, zone: str, start: date, days: int) -> None:
    life = simulate(seed, ZoneInfo(zone), start, days)
    first = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert life.segments[0].start == first
    assert all(a.end == b.start and a.start < a.end for a, b in pairwise(life.segments))
    assert life.segments[-1].end.astimezone(ZoneInfo(zone)).date() == start + timedelta(days=days)
    last = life.segments[-1].end + timedelta(hours=2)
    for instants in (
        [o.at for o in life.observations],
        [c.at for c in life.contexts],
        [c.recorded_at for c in life.corrections],
    ):
        assert instants == sorted(instants)
        assert all(first <= at < last and at.tzinfo is UTC for at in instants)
    assert len({o.at for o in life.observations}) == len(life.observations)
    assert len(life.felt) == len(life.observations)
    for o in life.observations:
        assert (o.estimate is None) == (o.reason is not None)
        assert (o.quality is None) == (o.reason in ("no_face", "ambiguous"))
    for p in life.prompts:
        times = [t for t in (p.scheduled, p.notified, p.started, p.completed) if t is not None]
        assert times == sorted(times)
    for c in life.corrections:
        assert c.recorded_at >= c.at
        assert (c.distribution is None) == (c.target == "leave_me_alone") != (c.answer is None)


@pytest.mark.parametrize("seed", range(4))
def test_a_month_has_the_amounts_of_a_study(seed: int) -> None:
    life = month(seed)
    per_day = Counter(o.at.astimezone(BERLIN).date() for o in life.observations)
    assert 200 <= np.mean(list(per_day.values())) <= 400
    reasons = Counter(o.reason for o in life.observations)
    assert reasons[None] > reasons["no_face"] > reasons["blurred"] + reasons["ambiguous"] > 0
    assert 150 <= len(life.prompts) <= 180
    assert {p.status for p in life.prompts} == {"answered", "late", "missed"}
    assert 3 <= sum(c.target == "emotion" for c in life.corrections) / 30 <= 8
    assert any(c.distribution and max(c.distribution.probabilities) < 1 for c in life.corrections)


def test_nights_are_gaps_and_weekends_differ() -> None:
    life = month()
    deep = [o for o in life.observations if 2 <= o.at.astimezone(BERLIN).hour < 5]
    assert deep
    assert {o.reason for o in deep} == {"no_face"}
    faces = [o.at.astimezone(BERLIN) for o in life.observations if o.estimate]
    mornings = [
        sum(9 <= t.hour < 11 and (t.weekday() >= 5) is weekend for t in faces) for weekend in (False, True)
    ]
    assert mornings[0] / 22 > 1.3 * mornings[1] / 8
    assert not any(p.scheduled.astimezone(BERLIN).hour in (2, 3, 4) for p in life.prompts)


def test_days_follow_the_wall_clock_through_summer_time() -> None:
    wake = [
        s.end for s in month().segments if s.activity == "sleeping" and s.start.astimezone(BERLIN).hour < 3
    ]
    before = [t.hour + t.minute / 60 for t in wake if t.date() < date(2025, 3, 30) and t.weekday() < 5]
    after = [t.hour + t.minute / 60 for t in wake if t.date() > date(2025, 3, 30) and t.weekday() < 5]
    assert np.mean(before) - np.mean(after) == pytest.approx(1.0, abs=0.35)


def test_what_is_felt_moves_smoothly() -> None:
    life = month()
    steps = [
        abs(p[Emotion.HAPPINESS] - q[Emotion.HAPPINESS])
        for (a, p), (b, q) in pairwise(zip(life.observations, life.felt, strict=True))
        if b.at - a.at < timedelta(minutes=3)
    ]
    assert np.mean(steps) < 0.02
    assert max(steps) < 0.2


def test_bias_is_what_makes_the_network_wrong_about_this_person() -> None:
    def agreement(life: Life) -> float:
        pairs = zip(life.observations, life.felt, strict=True)
        return float(np.mean([o.estimate.top is felt.top for o, felt in pairs if o.estimate]))

    assert agreement(month(bias=0.0)) > agreement(month(bias=0.6)) + 0.1


@pytest.mark.parametrize(("days", "bias", "message"), [(0, 0.5, "at least 1"), (1, 1.5, "not in")])
def test_impossible_lives_are_refused(days: int, bias: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(1, BERLIN, SPRING, days, bias=bias)
