from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.lab.challenge.cohorts import changed_after, cohort
from tracker.lab.challenge import running
from tracker.lab.challenge.arena import GROUPS, arena_of
from tracker.lab.challenge.diaries import Cohort, Diary
from tracker.lab.challenge.looping import AUDITS, Walk
from tracker.lab.challenge.outcomes import ASKED, DECIDED, SILENT, Loops, Outcomes
from tracker.lab.challenge.running import run, run_loops
from tracker.lab.challenge.settings import ChallengeSettings, Mode
from tracker.lab.challenge.thresholds import NEVER, Periodic, periodic

WARMUP = 4
SETTINGS = ChallengeSettings(blocks=((5, 9), (10, 14)), warmup=WARMUP, draws=2, seed=3)
OURS = ("learner",)


def quiet(what: str, share: float) -> None:
    """No progress to show."""


def loops(whole: Cohort, settings: ChallengeSettings = SETTINGS, prior: Cohort | None = None) -> Loops:
    return run_loops(whole, prior, settings, quiet, OURS)["learner"]


@cache
def plain() -> Loops:
    return loops(cohort())


def same(one: Outcomes, two: Outcomes, columns: Sequence[str] = ("probability", "action", "audit")) -> bool:
    return all((getattr(one, c) == getattr(two, c)).all() for c in columns)


def of(outcomes: Outcomes, person: int, last_day: int = 99) -> Outcomes:
    return outcomes.where((outcomes.person == person) & (outcomes.day <= last_day))


def with_other(whole: Cohort, person: int, diary: Diary) -> Cohort:
    people = (*whole.people[:person], diary, *whole.people[person + 1 :])
    return replace(whole, people=people)


class Limits:
    """Notes the thresholds that are learned, and from whom."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[Periodic] = []
        self.walks: list[Sequence[Walk]] = []

        def noted(walks: Sequence[Walk], point: str, warmup: int, audits: float) -> Periodic:
            self.walks.append(walks)
            self.found.append(periodic(walks, point, warmup, audits))
            return self.found[-1]

        monkeypatch.setattr(running, "periodic", noted)


@pytest.mark.parametrize(("person", "day"), [(0, 10), (2, 6), (4, 2)])
def test_what_somebody_says_later_reaches_nothing_that_was_decided_about_them(day: int, person: int) -> None:
    whole = cohort()
    changed = loops(with_other(whole, person, changed_after(whole.people[person], day)))
    for before, after in ((plain().at_decided, changed.at_decided), (plain().at_system, changed.at_system)):
        for one, two in zip(before, after, strict=True):
            assert same(of(one, person, day), of(two, person, day))


def test_own_answers_never_enter_the_own_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, person = cohort(5, 9), 2
    group = arena_of(whole, None, SETTINGS).groups[person]
    before, after = Limits(monkeypatch), None
    loops(whole)
    after = Limits(monkeypatch)
    loops(with_other(whole, person, changed_after(whole.people[person], 0)))
    groups = sorted(set(arena_of(whole, None, SETTINGS).groups))
    assert len(before.found) == len(after.found) == 2 * len(groups)
    for i, of_group in enumerate(groups):
        own = slice(2 * i, 2 * i + 2)
        assert (before.found[own] == after.found[own]) == (of_group == group)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("people", [1, 2, 5, 11])
def test_nobodys_references_are_of_their_own_group(people: int, seed: int) -> None:
    arena = arena_of(cohort(people, 1), None, replace(SETTINGS, seed=seed))
    for person, group in enumerate(arena.groups):
        references = arena.references(group)
        assert person not in references
        assert all(arena.groups[i] != group for i in references)
        assert len(references) >= people - -(-people // GROUPS)


def test_the_groups_hang_on_nothing_that_anybody_said() -> None:
    changed = replace(cohort(), people=tuple(changed_after(d, 0) for d in cohort().people))
    assert arena_of(cohort(), None, SETTINGS).groups == arena_of(changed, None, SETTINGS).groups


def test_with_a_prior_of_other_people_nothing_of_the_cohort_reaches_anybody_else() -> None:
    whole, others = cohort(3), cohort(4, first_seed=50)
    one = loops(whole, prior=others)
    two = loops(with_other(whole, 1, changed_after(whole.people[1], 0)), prior=others)
    alone = loops(replace(whole, people=whole.people[:1]), prior=others)
    for a, b, c in zip(one.at_decided, two.at_decided, alone.at_decided, strict=True):
        assert same(of(a, 0), of(b, 0))
        assert same(of(a, 2), of(b, 2))
        assert same(of(a, 0), c)


def test_the_same_seed_gives_the_same_loops_and_another_does_not() -> None:
    first, again, other = (loops(cohort(), replace(SETTINGS, seed=seed)) for seed in (3, 3, 5))
    draws = [
        (*first.at_decided, *first.at_system),
        (*again.at_decided, *again.at_system),
        (*other.at_decided, *other.at_system),
    ]
    assert all(same(one, two) for one, two in zip(draws[0], draws[1], strict=True))
    assert not all(same(one, three) for one, three in zip(draws[0], draws[2], strict=True))
    assert not same(plain().at_decided[0], plain().at_decided[1])


def test_two_processes_come_to_the_same_loops_as_one() -> None:
    environment = dict(os.environ)
    whole = cohort(3, 9)
    settings = replace(SETTINGS, blocks=((5, 9),), draws=1)
    one = run_loops(whole, None, settings, quiet, ("learner", "majority", "random_ask"))
    two = run_loops(whole, None, replace(settings, jobs=2), quiet, ("learner", "majority", "random_ask"))
    assert set(one) == set(two) == {"learner", "majority", "random_ask"}
    for name, ours in one.items():
        for point in ("at_decided", "at_system"):
            for a, b in zip(getattr(ours, point), getattr(two[name], point), strict=True):
                assert same(a, b, ("person", "day", "probability", "truth", "either", "action", "audit"))
    assert dict(os.environ) == environment


def test_what_is_scored_is_every_answered_moment_of_everybody_once() -> None:
    whole = cohort()
    truths = [b.truth for d in whole.people for b in d.moments if b.truth is not None]
    days = [b.situation.day for d in whole.people for b in d.moments if b.truth is not None]
    for outcomes in (*plain().at_decided, *plain().at_system):
        assert outcomes.truth.tolist() == truths
        assert outcomes.day.tolist() == days
        assert outcomes.names == tuple(d.person for d in whole.people)
        assert (outcomes.action[outcomes.day <= WARMUP] == ASKED).all()
        assert SILENT not in outcomes.action
        assert DECIDED in outcomes.action


def test_a_budget_is_never_exceeded_and_binds_the_loops_that_find_the_thresholds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = Limits(monkeypatch)
    found = loops(cohort(4, 9), replace(SETTINGS, budget=2))
    for walks in bound.walks:
        for walked in walks:
            _, counts = np.unique(walked.day[walked.action == ASKED], return_counts=True)
            assert counts.max(initial=0) <= 2
    for outcomes in (*found.at_decided, *found.at_system):
        asked = outcomes.where(outcomes.action == ASKED)
        _, counts = np.unique(np.stack([asked.person, asked.day]), axis=1, return_counts=True)
        assert counts.max() == 2
        assert SILENT in outcomes.action


def test_days_after_the_last_block_are_not_replayed() -> None:
    found = loops(cohort(3), replace(SETTINGS, blocks=((5, 9),)))
    assert all(outcomes.day.max() == 9 for outcomes in found.at_decided)


def test_told_everything_the_probabilities_hang_on_no_threshold() -> None:
    found = loops(cohort(3), replace(SETTINGS, mode=Mode.FULL))
    first, second = found.at_decided
    assert (first.probability == second.probability).all()
    assert (first.probability == found.at_system[0].probability).all()
    assert (plain().at_decided[0].probability != plain().at_system[0].probability).any()


def test_asking_at_random_asks_as_often_as_ours() -> None:
    settings = replace(SETTINGS, draws=3)
    found = run_loops(
        cohort(5, 14), None, replace(settings, blocks=((5, 14),)), quiet, ("learner", "random_ask")
    )

    def rate(of_method: Sequence[Outcomes]) -> float:
        return float(np.mean([(o.action[o.day > WARMUP] == ASKED).mean() for o in of_method]))

    for point in ("at_decided", "at_system"):
        ours, chance = (rate(getattr(found[name], point)) for name in ("learner", "random_ask"))
        assert chance == pytest.approx(ours, abs=0.05)
    assert AUDITS < rate(found["learner"].at_system) < 1


@pytest.mark.parametrize("people", [1, 2])
def test_the_fewest_people_are_replayed_too(people: int) -> None:
    report = run(cohort(people), None, replace(SETTINGS, draws=1), quiet, "tense")
    found = report.as_json()["blocks"]["10-14"]
    assert 0 <= found["always"]["accuracy"] <= 1
    assert set(found["baselines"]) >= {"majority", "last_value", "random_ask", "boosted_trees"}


def test_a_cohort_that_ends_with_the_warm_up_decides_nothing() -> None:
    found = run_loops(cohort(3, 3), None, replace(SETTINGS, draws=1), quiet, ("learner", "random_ask"))
    for of_method in found.values():
        assert (of_method.at_decided[0].action == ASKED).all()


def test_thresholds_that_nothing_reaches_ask_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "periodic", lambda *_: Periodic(1, NEVER, NEVER))
    found = loops(cohort(3, 9))
    assert all((outcomes.action == ASKED).all() for outcomes in found.at_decided)


def test_progress_counts_every_stage_to_its_end() -> None:
    seen: dict[str, list[float]] = {}
    run_loops(cohort(2, 6), None, SETTINGS, lambda what, share: seen.setdefault(what, []).append(share), OURS)
    assert list(seen) == ["thresholds from other people", "closed loops"]
    assert all(shares == sorted(shares) and shares[-1] == 1.0 for shares in seen.values())
