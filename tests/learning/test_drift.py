"""Noticing that a person has changed: how often in vain, how soon in earnest, and always the same way."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.learning.asking import AskingPolicy
from tracker.learning.drift import DriftEvent, DriftMonitor, replay, surprise
from tracker.learning.vigilance import STEADY, Vigilance, raised, vigilance, watchful

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
PER_DAY = 4


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def changed(how: str, felt: float) -> float:
    return {"reversed": -felt, "unreadable": 0.0, "shifted": felt - math.copysign(2.5, felt)}[how]


def answers(
    seed: int, moments: int, *, changes_at: int = 10**6, how: str = "reversed", deployed: bool = True
) -> list[tuple[float, datetime]]:
    """SIMULATED person with a calibrated learner; deployed, only unsure moments and 3 % of the others are asked."""
    rng = random.Random(seed)
    typical = rng.gauss(0, 1)
    said = []
    for k in range(moments):
        felt = rng.gauss(typical, 2.2)
        p = sigmoid(felt)
        truth = rng.random() < sigmoid(changed(how, felt) if k >= changes_at else felt)
        drawn = rng.random() < 0.03
        if deployed and k >= 7 * PER_DAY and max(p, 1 - p) >= 0.9 and not drawn:
            continue
        at = START + timedelta(days=k // PER_DAY, hours=3 * (k % PER_DAY))
        said.append((surprise((p, 1 - p), (float(truth), float(not truth))), at))
    return said


@pytest.mark.parametrize(("deployed", "at_most"), [(True, 0.04), (False, 0.1)])
def test_steady_people_seldom_raise_an_alarm_in_a_month(deployed: bool, at_most: float) -> None:
    false = sum(bool(replay(answers(seed, 30 * PER_DAY, deployed=deployed))) for seed in range(300))
    assert false / 300 <= at_most


@pytest.mark.parametrize(
    ("how", "within", "share"), [("reversed", 20, 0.85), ("unreadable", 45, 0.8), ("shifted", 60, 0.7)]
)
def test_a_change_is_noticed_within_some_answers(how: str, within: int, share: float) -> None:
    when, noticed = START + timedelta(days=20), 0
    for seed in range(200):
        said = answers(5000 + seed, 60 * PER_DAY, changes_at=20 * PER_DAY, how=how)
        after = [at for _, at in said if at >= when][:within]
        noticed += any(when <= event.at <= after[-1] for event in replay(said))
    assert noticed / 200 >= share


def test_the_change_is_dated_to_about_when_it_happened() -> None:
    when, off = START + timedelta(days=20), []
    for seed in range(100):
        said = answers(seed, 60 * PER_DAY, changes_at=20 * PER_DAY)
        for event in [e for e in replay(said) if e.at >= when][:1]:
            off.append(abs(event.since - when))
            assert event.before < event.after
            assert event.since <= event.at
    assert len(off) >= 95
    assert sorted(off)[len(off) // 2] <= timedelta(days=1.5)


@given(st.lists(st.floats(-2, 3), max_size=120))
def test_the_same_answers_give_the_same_events_whole_or_in_parts(values: list[float]) -> None:
    stream = [(value, START + timedelta(hours=k)) for k, value in enumerate(values)]
    monitor = DriftMonitor()
    halves = replay(stream[:50], monitor) + replay(stream[50:], monitor)
    assert halves == replay(stream)


@given(st.floats(0.0, 1.0))
def test_a_calibrated_forecast_surprises_by_nothing_on_average(p: float) -> None:
    forecast = (p, 1 - p)
    expected = p * surprise(forecast, (1.0, 0.0)) + (1 - p) * surprise(forecast, (0.0, 1.0))
    assert expected == pytest.approx(0.0, abs=1e-9)


def test_learning_better_is_no_alarm() -> None:
    assert replay([(1.5 - k / 40, START + timedelta(hours=k)) for k in range(100)]) == []


def test_what_is_no_surprise_is_refused() -> None:
    with pytest.raises(ValueError, match="nan is no number"):
        DriftMonitor().update(float("nan"), START)
    with pytest.raises(ValueError, match="2 probabilities, but an answer over 3"):
        surprise((0.5, 0.5), (1.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="naive"):
        DriftMonitor().update(0.0, datetime(2026, 3, 1))


def test_the_newest_of_several_drifts_counts_and_future_ones_do_not() -> None:
    old, new = (DriftEvent(START + timedelta(days=d), START, 0.0, 1.0, 9) for d in (0, 20))
    assert vigilance([], START) == STEADY
    assert vigilance([old, new], START + timedelta(days=21)) == Vigilance(2.0, 0.3)
    assert vigilance([old, new], START + timedelta(days=10)) == STEADY


@given(st.floats(0.5, 1.01))
def test_being_watchful_never_lowers_a_threshold(threshold: float) -> None:
    assert raised(threshold, Vigilance(raised=0.3)) >= threshold


def test_being_watchful_leaves_budget_and_quiet_hours_alone() -> None:
    policy = AskingPolicy(audits=0.6, through_silence=0.0)
    more = watchful(policy, Vigilance(audits=2.0))
    assert (more.audits, more.through_silence) == (1.0, 0.0)
    assert (more.per_day, more.quiet_from, more.gap) == (policy.per_day, policy.quiet_from, policy.gap)
