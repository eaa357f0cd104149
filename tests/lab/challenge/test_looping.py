from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.challenge.cohorts import Spy, changed_after, cohort, diary
from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.looping import AUDITS, Rules, Walk, chances, walk
from tracker.lab.challenge.methods import Learner, Pooled, rows_of
from tracker.lab.challenge.outcomes import ASKED, DECIDED, SILENT
from tracker.lab.challenge.settings import Mode
from tracker.learning.prior_fitting import fit_prior

WARMUP = 3
rules_ = st.builds(
    Rules,
    mode=st.sampled_from(Mode),
    warmup=st.integers(0, 5),
    budget=st.none() | st.integers(0, 4),
    last_day=st.integers(1, 9),
    audits=st.sampled_from([0.0, AUDITS, 0.5]),
)


def spied(whole: Diary, rules: Rules, *, seed: int = 0, sure: float = 0.8) -> tuple[Spy, Walk]:
    """Walk with a spy whose confidence wanders."""
    rng = np.random.default_rng(seed)
    spy = Spy([float(p) for p in rng.random(len(whole.moments))])
    return spy, walk(whole, spy, lambda day: sure, rules, chances(whole, seed, 0))


def replayed(whole: Diary, rules: Rules) -> Diary:
    return replace(whole, moments=tuple(b for b in whole.moments if b.situation.day <= rules.last_day))


@settings(deadline=None)
@given(rules_, st.integers(0, 50))
def test_every_moment_is_told_once_in_order_and_never_the_truth_of_what_was_not_asked(
    rules: Rules, seed: int
) -> None:
    whole = replayed(diary("p", seed, 8, either=0.2), rules)
    spy, found = spied(diary("p", seed, 8, either=0.2), rules, seed=seed)
    assert [situation for situation, _ in spy.told] == [beep.situation for beep in whole.moments]
    scored = [beep for beep in whole.moments if beep.truth is not None]
    assert spy.shown == [beep.situation for beep in scored]
    action = dict(zip((beep.situation.at for beep in scored), found.action.tolist(), strict=True))
    for beep, (_, told) in zip(whole.moments, spy.told, strict=True):
        asked = action.get(beep.situation.at) == ASKED
        assert told == (beep.answer if asked or rules.mode is Mode.FULL else None)


@settings(deadline=None)
@given(rules_, st.integers(0, 50))
def test_the_rules_bind_every_day(rules: Rules, seed: int) -> None:
    whole = replayed(diary("p", seed, 8), rules)
    _, found = spied(diary("p", seed, 8), rules, seed=seed)
    scored = [beep for beep in whole.moments if beep.truth is not None]
    assert found.day.tolist() == [beep.situation.day for beep in scored]
    assert found.truth.tolist() == [beep.truth for beep in scored]
    asked = Counter(found.day[found.action == ASKED].tolist())
    if rules.budget is None:
        assert SILENT not in found.action
        assert (found.action[found.day <= rules.warmup] == ASKED).all()
    else:
        assert max(asked.values(), default=0) <= rules.budget
        for day in set(found.day[found.action == SILENT].tolist()):
            assert asked[day] == rules.budget
    decided = found.action == DECIDED
    assert (found.confidence[decided] >= 0.8).all()
    assert (found.day[decided] > rules.warmup).all()
    assert (found.action[found.audit] == ASKED).all()


def test_about_three_percent_are_asked_by_chance_however_sure() -> None:
    whole = diary("p", 1, 1000, missing=0.0)
    found = walk(whole, Spy(1.0), lambda day: 0.9, Rules(warmup=0), chances(whole, 0, 0))
    assert found.audit.mean() == pytest.approx(0.03, abs=0.01)
    assert ((found.action == ASKED) == found.audit).all()


def test_whoever_is_never_sure_enough_only_asks() -> None:
    whole = diary("p", 2)
    found = walk(whole, Spy(1.0), lambda day: 1.01, Rules(), chances(whole, 0, 0))
    assert (found.action == ASKED).all()


def test_a_threshold_may_change_with_the_day() -> None:
    whole = diary("p", 3, missing=0.0)
    rules = Rules(warmup=WARMUP, audits=0.0)
    found = walk(whole, Spy(0.85), lambda day: 0.9 if day < 9 else 0.8, rules, chances(whole, 0, 0))
    assert set(found.day[found.action == DECIDED].tolist()) == set(range(9, 15))


def test_asking_at_random_looks_at_no_confidence() -> None:
    whole = diary("p", 4, 400, missing=0.0)
    rules = Rules(warmup=WARMUP, audits=0.0)
    found = walk(whole, Spy(0.5), lambda day: 1.01, rules, chances(whole, 0, 0), at_random=0.3)
    assert (found.action[found.day > WARMUP] == ASKED).mean() == pytest.approx(0.3, abs=0.04)


def test_an_either_is_contradicted_by_no_decision() -> None:
    whole = diary("p", 5, 30, either=0.5, missing=0.0)
    found = walk(whole, Spy(0.9), lambda day: 0.8, Rules(), chances(whole, 0, 0))
    assert found.either.any()
    assert found.right[found.either].all()
    assert (found.right == (found.truth | found.either)).all()


def test_chance_hangs_on_seed_draw_and_person() -> None:
    one = chances(diary("p", 6), 3, 2)
    assert all((a == b).all() for a, b in zip(one, chances(diary("p", 99), 3, 2), strict=True))
    for other in (chances(diary("q", 6), 3, 2), chances(diary("p", 6), 4, 2), chances(diary("p", 6), 3, 1)):
        assert (one[0] != other[0]).any()
    assert (one[0] != one[1]).all()


def test_nobody_answering_is_an_empty_walk() -> None:
    whole = diary("p", 7, missing=1.0)
    spy, found = spied(whole, Rules())
    assert not len(found.day)
    assert len(spy.told) == len(whole.moments)
    assert not spy.shown


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 100), st.integers(2, 12), st.sampled_from(Mode), st.none() | st.integers(1, 3))
def test_our_learner_says_the_same_whatever_is_answered_later(
    seed: int, day: int, mode: Mode, budget: int | None
) -> None:
    others, whole = cohort(3, 8).people, diary("me", 1000 + seed, either=0.1)
    make = Learner(Pooled()).fit(others, WARMUP)
    rules = Rules(mode, WARMUP, budget)
    one, two = (
        walk(d, make(), lambda day: 0.8, rules, chances(d, 0, 0)) for d in (whole, changed_after(whole, day))
    )
    early, early_two = one.day <= day, two.day <= day
    assert (one.probability[early] == two.probability[early_two]).all()
    assert (one.action[early] == two.action[early_two]).all()
    assert (one.audit[early] == two.audit[early_two]).all()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 100), st.permutations(range(24)))
def test_our_learner_says_the_same_whatever_is_lived_later(seed: int, order: list[int]) -> None:
    """The situations themselves in another order, not only the answers."""
    whole = diary("me", seed)
    half = len(whole.moments) - 24
    tail = [whole.moments[half + i] for i in order]
    kept = [b.situation for b in whole.moments[half:]]
    later = [
        replace(b, situation=replace(b.situation, at=s.at, day=s.day, hour=s.hour, weekday=s.weekday))
        for b, s in zip(tail, kept, strict=True)
    ]
    shuffled = replace(whole, moments=(*whole.moments[:half], *later))
    make = Learner(Pooled()).fit(cohort(3, 8).people, WARMUP)
    one, two = (
        walk(d, make(), lambda day: 0.8, Rules(warmup=WARMUP), chances(d, 0, 0)) for d in (whole, shuffled)
    )
    early = sum(b.truth is not None for b in whole.moments[:half])
    assert (one.probability[:early] == two.probability[:early]).all()
    assert (one.action[:early] == two.action[:early]).all()


def test_the_pooled_prior_is_that_of_the_rows_and_knows_who_gave_them() -> None:
    people = cohort(4, 8).people
    pooled = Pooled()
    without = pooled.prior([d for d in people if d.person != "p1"], WARMUP)
    assert without == fit_prior(
        [row for d in people if d.person != "p1" for row in rows_of(d, WARMUP)], "yes_no"
    )
    assert [who for who, _ in without.contributors] == ["p0", "p2", "p3"]
    assert pooled.prior(people[::-1], WARMUP) == pooled.prior(people, WARMUP)
    assert not pooled.prior([], WARMUP).names


def test_a_priors_rows_know_everything_of_the_warm_up_and_half_of_what_came_after() -> None:
    whole = diary("p", 8, 60, missing=0.0)
    rows = rows_of(whole, WARMUP)
    assert len(rows) == len(whole.moments)
    # Where the moment before was told, the last answer is as old as that moment.
    told = [row.features.get("told:age") == row.features["clock:since_seen"] for row in rows[1:]]
    assert all(told[: WARMUP * 4])
    assert np.mean(told[WARMUP * 4 :]) == pytest.approx(0.5, abs=0.12)
