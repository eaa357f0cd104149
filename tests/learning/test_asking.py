"""When a question is put, when not, and what the participant is told."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.learning.asking import AskingPolicy, Decision, Today, decide
from tracker.learning.choosing import Action
from tracker.learning.reasons import Reason, in_words

UNIT = st.floats(0.0, 1.0)
HOURS = st.floats(0.0, 24.0, exclude_max=True)
CLOCKS = st.times().map(lambda t: t.replace(microsecond=0))
POLICIES = st.builds(
    AskingPolicy,
    per_day=st.integers(0, 12),
    warm_up_days=st.integers(0, 14),
    audits=UNIT,
    through_silence=UNIT,
    quiet_from=CLOCKS,
    quiet_until=CLOCKS,
    gap=st.timedeltas(timedelta(0), timedelta(hours=4)),
)
DAYS = st.builds(
    Today,
    day=st.integers(1, 40),
    hour=HOURS,
    asked=st.integers(0, 15),
    since_last=st.none() | st.timedeltas(timedelta(0), timedelta(days=3)),
)
MOMENT = {
    "alone": UNIT,
    "threshold": st.floats(0.5, 1.01),
    "u": st.floats(0.0, 1.0, exclude_max=True),
    "novelty": UNIT,
}
NOON = Today(day=12, hour=13.0, asked=1, since_last=timedelta(hours=3))


@given(POLICIES, DAYS, st.fixed_dictionaries(MOMENT))
def test_never_in_quiet_hours_beyond_the_budget_or_within_the_gap(
    policy: AskingPolicy, today: Today, moment: dict[str, float]
) -> None:
    decision = decide(policy, today, **moment)
    if decision.action is Action.ASK:
        assert not policy.quiet(today.hour)
        assert today.asked < policy.per_day
        assert today.since_last is None or today.since_last >= policy.gap


@given(CLOCKS, CLOCKS, HOURS)
def test_quiet_hours_cross_midnight(start: time, end: time, hour: float) -> None:
    policy = AskingPolicy(quiet_from=start, quiet_until=end)
    begins, ends = (t.hour + t.minute / 60 + t.second / 3600 for t in (start, end))
    if min(abs(hour - begins), abs(hour - ends)) < 1e-6:
        return
    across = begins > ends
    within = hour >= begins or hour < ends if across else begins <= hour < ends
    assert policy.quiet(hour) == within


@given(CLOCKS, CLOCKS, st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))
def test_a_day_of_the_budget_holds_its_moment_and_has_just_begun_where_nothing_is_spent(
    start: time, end: time, local: datetime
) -> None:
    policy = AskingPolicy(quiet_from=start, quiet_until=end)
    began = policy.day_began(local)
    assert timedelta(0) <= local - began < timedelta(days=1)
    hours = (local - began) / timedelta(hours=1)
    hour = local.hour + local.minute / 60 + (local.second + local.microsecond / 1e6) / 3600
    if 1e-6 < hours < 24 - 1e-6:
        assert policy.day_spent(hour) == pytest.approx(min(hours / policy.waking_hours, 1.0), abs=1e-6)


@given(POLICIES, DAYS, st.fixed_dictionaries(MOMENT))
def test_the_same_moment_gets_the_same_decision(
    policy: AskingPolicy, today: Today, moment: dict[str, float]
) -> None:
    assert decide(policy, today, **moment) == decide(policy, today, **moment)


@given(POLICIES, DAYS, st.fixed_dictionaries(MOMENT))
def test_a_confident_leave_me_alone_silences_all_but_the_random_share(
    policy: AskingPolicy, today: Today, moment: dict[str, float]
) -> None:
    today = replace(today, day=policy.warm_up_days + 1)
    moment = moment | {"alone": max(moment["alone"], 1.0 - moment["alone"])}
    decision = decide(policy, today, **moment)
    if moment["alone"] >= moment["threshold"]:
        drawn = decision.action is Action.ASK
        assert decision.audit == drawn
        assert not drawn or moment["u"] < policy.through_silence
        assert drawn or decision.because is Reason.YIELDING


@given(POLICIES, DAYS, st.fixed_dictionaries(MOMENT))
def test_a_question_that_was_not_drawn_is_at_most_half_a_question_early(
    policy: AskingPolicy, today: Today, moment: dict[str, float]
) -> None:
    decision = decide(policy, today, **moment)
    if decision.action is Action.ASK and not decision.audit:
        assert today.asked < policy.per_day * policy.day_spent(today.hour) + 0.5


@given(POLICIES, DAYS, st.fixed_dictionaries(MOMENT))
def test_words_are_one_sentence_that_never_says_what_somebody_is(
    policy: AskingPolicy, today: Today, moment: dict[str, float]
) -> None:
    words = decide(policy, today, **moment).words
    assert words.endswith(".")
    assert words.count(". ") == 0
    assert "you are " not in words.lower().replace("you are left alone", "")


def test_through_silence_comes_the_promised_share_of_questions() -> None:
    rng = random.Random(4)
    asked = sum(
        decide(AskingPolicy(), NOON, alone=0.97, threshold=0.9, u=rng.random()).action is Action.ASK
        for _ in range(20_000)
    )
    assert asked / 20_000 == pytest.approx(0.03, abs=0.004)


def a_day(
    policy: AskingPolicy, seed: int, *, alone: tuple[float, float], day: int = 12
) -> list[tuple[float, Decision]]:
    """A day with an opportunity every half hour."""
    rng = random.Random(seed)
    asked: list[float] = []
    said = []
    for k in range(48):
        hour = (8.0 + k / 2) % 24
        since = timedelta(hours=k / 2 - asked[-1]) if asked else None
        today = Today(day=day, hour=hour, asked=len(asked), since_last=since)
        decision = decide(policy, today, alone=rng.uniform(*alone), threshold=0.9, u=rng.random())
        said.append((hour, decision))
        if decision.action is Action.ASK:
            asked.append(k / 2)
    return said


@pytest.mark.parametrize("day", [2, 12])
def test_the_budget_lasts_from_morning_to_evening(day: int) -> None:
    policy = AskingPolicy(per_day=6)
    for seed in range(30):
        hours = [h for h, d in a_day(policy, seed, alone=(0.2, 0.8), day=day) if d.action is Action.ASK]
        assert len(hours) == 6
        assert sum(h < 13 for h in hours) in (2, 3, 4)
        assert sum(h >= 17.5 for h in hours) >= 1


def test_someone_easy_to_read_is_asked_next_to_nothing() -> None:
    asked = [
        d
        for seed in range(30)
        for _, d in a_day(AskingPolicy(), seed, alone=(0.0, 0.08))
        if d.action is Action.ASK
    ]
    assert all(d.because is Reason.RANDOM for d in asked)
    assert 10 <= len(asked) <= 45  # 28 opportunities a day, 3 % of them


def test_what_resembles_recent_questions_waits_for_its_turn() -> None:
    def asked_at(hour: float, novelty: float) -> Reason:
        today = replace(NOON, hour=hour)
        return decide(AskingPolicy(), today, alone=0.5, threshold=0.9, u=0.5, novelty=novelty).because

    assert (asked_at(11.0, 0.1), asked_at(11.0, 1.0)) == (Reason.SPREADING, Reason.UNSURE)
    assert asked_at(13.0, 0.0) is Reason.UNSURE


@pytest.mark.parametrize(
    ("today", "alone", "because"),
    [
        (replace(NOON, day=3), 0.97, Reason.WARM_UP),
        (NOON, 0.6, Reason.UNSURE),
        (NOON, 0.03, Reason.CONFIDENT),
        (NOON, 0.97, Reason.YIELDING),
        (replace(NOON, hour=23.5), 0.6, Reason.QUIET_HOURS),
        (replace(NOON, hour=23.5), 0.97, Reason.YIELDING),
        (replace(NOON, asked=5), 0.6, Reason.BUDGET_SPENT),
        (replace(NOON, since_last=timedelta(minutes=5)), 0.6, Reason.JUST_ASKED),
        (replace(NOON, since_last=timedelta(minutes=-5)), 0.6, Reason.JUST_ASKED),
        (replace(NOON, asked=3), 0.6, Reason.SPREADING),
    ],
)
def test_every_reason_has_its_moment(today: Today, alone: float, because: Reason) -> None:
    assert decide(AskingPolicy(), today, alone=alone, threshold=0.9, u=0.5).because is because


def test_an_audit_that_may_not_be_put_is_a_decision() -> None:
    late = replace(NOON, hour=23.5)
    assert decide(AskingPolicy(), late, alone=0.03, threshold=0.9, u=0.0).action is Action.DECIDE


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"per_day": -1}, "-1 questions"),
        ({"warm_up_days": -1}, "-1 days"),
        ({"audits": 1.1}, "shares 1.1"),
        ({"through_silence": -0.1}, "and -0.1"),
        ({"gap": timedelta(minutes=-1)}, "no time between"),
    ],
)
def test_an_impossible_policy_is_refused(bad: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AskingPolicy(**bad)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"alone": 1.2}, "alone 1.2"),
        ({"alone": float("nan")}, "alone nan"),
        ({"u": 1.0}, "u of 1.0"),
        ({"novelty": -1.0}, "novelty"),
    ],
)
def test_an_impossible_moment_is_refused(bad: dict[str, float], says: str) -> None:
    moment = {"alone": 0.5, "threshold": 0.9, "u": 0.5} | bad
    with pytest.raises(ValueError, match=says):
        decide(AskingPolicy(), NOON, **moment)


def test_a_study_says_how_long_its_warm_up_is() -> None:
    said = {n: in_words(Reason.WARM_UP, alone=0.5, share=0.03, warm_up_days=n) for n in (1, 7, 10)}
    assert said[1].startswith("First day:")
    assert said[7].startswith("First week:")
    assert said[10].startswith("First 10 days:")
    assert "Now and then" in in_words(Reason.RANDOM, alone=0.5, share=0.0, warm_up_days=7)
