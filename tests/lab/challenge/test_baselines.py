"""The baselines: each a fair opponent, none of them a clairvoyant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from tracker.lab.challenge.baselines import methods
from tracker.lab.challenge.baselines.hierarchical import INTERCEPT_PULL, PULL, Hierarchical
from tracker.lab.challenge.baselines.pooled_logistic import Scaled
from tracker.lab.challenge.baselines.shares import LastValue, Majority
from tracker.lab.challenge.diaries import Beep, Diary
from tracker.lab.challenge.methods import Maker, Pooled
from tracker.learning.histories import History
from tracker.learning.situations import Answer, Situation

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = [
    "learner",
    "majority",
    "last_value",
    "pooled_logistic",
    "river_logistic",
    "river_arf",
    "hierarchical",
    "boosted_trees",
]
WARMUP = 3


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As the challenge runs them: trees this small only wait for each other in several threads."""
    with threadpool_limits(1):
        yield


def beep(n: int, share: float | None, numbers: dict[str, float] | None = None, place: str = "home") -> Beep:
    day, slot = divmod(n, 4)
    at = START + timedelta(days=day, hours=3 * slot)
    situation = Situation(
        at, day + 1, float(at.hour), at.weekday(), slot + 1, numbers or {}, {"place": place}
    )
    if share is None:
        return Beep(situation, None, None)
    return Beep(situation, Answer(share, None), share > 0.5, either=share == 0.5)


def diary(person: str, seed: int, days: int = 8) -> Diary:
    """Somebody who avoids people when tense and at work; every ninth answer is missing, some are "either"."""
    rng = np.random.default_rng(seed)
    bias, moments = rng.normal(), []
    for n in range(4 * days):
        tense, place = float(rng.normal()), str(rng.choice(["home", "work"]))
        yes = rng.random() < 1 / (1 + np.exp(-(bias + 2 * tense + (place == "work"))))
        share = None if n % 9 == 8 else 0.5 if rng.random() < 0.1 else float(yes)
        numbers = {"tense": tense} if rng.random() < 0.9 else {}
        moments.append(beep(n, share, numbers, place))
    return Diary(person, tuple(moments))


OTHERS = tuple(diary(f"p{i}", i) for i in range(3))
SELF = diary("self", 99)


def told(share: float) -> Answer:
    return Answer(share, None)


def forecasts(make: Maker, moments: Sequence[Beep], hidden: frozenset[int] = frozenset()) -> list[float]:
    """Replay; the truth of hidden moments is never told."""
    forecaster, said = make(), []
    for n, moment in enumerate(moments):
        if moment.answer is not None:
            said.append(forecaster.predict(moment.situation))
        forecaster.learn(moment.situation, None if n in hidden else moment.answer)
    return said


@cache
def fitted(name: str) -> Maker:
    return methods()[name].fit(OTHERS, WARMUP)


def test_every_method_of_the_issue_is_there_ours_first() -> None:
    assert list(methods()) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("others", [OTHERS, ()], ids=["others", "nobody else"])
def test_probabilities_are_probabilities_and_a_new_forecaster_says_the_same(
    name: str, others: tuple[Diary, ...]
) -> None:
    said = forecasts(methods()[name].fit(others, WARMUP), SELF.moments)
    assert len(said) == sum(moment.answer is not None for moment in SELF.moments)
    assert all(0.0 <= p <= 1.0 for p in said)
    make = methods()[name].fit(others, WARMUP)
    assert forecasts(make, SELF.moments) == said
    assert forecasts(make, SELF.moments) == said  # one forecaster leaves nothing behind for the next


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [1.0, 0.0, 0.5])
def test_people_who_always_answer_the_same_are_no_trouble(name: str, share: float) -> None:
    same = [
        Diary(f"p{k}", tuple(beep(n, share, {"tense": float(n % 3)}) for n in range(16))) for k in range(2)
    ]
    said = forecasts(methods()[name].fit(same, WARMUP), same[0].moments)
    assert all(0.0 <= p <= 1.0 for p in said)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_every_forecast_is_the_same_whatever_the_future_holds(name: str, data: st.DataObject) -> None:
    now = data.draw(st.integers(1, len(SELF.moments) - 1), label="moments that are past")
    order = data.draw(st.permutations(range(now, len(SELF.moments))), label="order of the future")
    hidden = data.draw(st.frozensets(st.integers(0, now - 1)), label="untold")
    moments = list(SELF.moments)
    for place, source in zip(range(now, len(moments)), order, strict=True):
        # Another moment's affect, place and answer at this moment's instant.
        known, other = SELF.moments[place].situation, SELF.moments[source]
        situation = replace(known, numbers=other.situation.numbers, words=other.situation.words)
        moments[place] = replace(other, situation=situation)
    past = sum(moment.answer is not None for moment in SELF.moments[:now])
    make = fitted(name)
    assert forecasts(make, moments, hidden)[:past] == forecasts(make, SELF.moments, hidden)[:past]


@pytest.mark.parametrize("name", ["majority", "river_logistic", "river_arf", "hierarchical", "boosted_trees"])
def test_those_that_learn_tell_two_people_apart(name: str) -> None:
    make = fitted(name)
    ends = []
    for share in (0.0, 1.0):
        moments = [beep(n, share, {"tense": 0.0}) for n in range(33)]
        ends.append(forecasts(make, moments)[-1])
    assert ends[0] < 0.4 < 0.6 < ends[1]


def test_majority_counts_answers_behind_one_of_the_others() -> None:
    others = [Diary("p", (beep(0, 1.0), beep(1, 0.0), beep(2, 0.0), beep(3, 0.0)))]
    forecaster = Majority().fit(others, WARMUP)()
    here = SELF.moments[0].situation
    said = [forecaster.predict(here)]
    for share in (1.0, None, 0.5):
        forecaster.learn(here, None if share is None else told(share))
        said.append(forecaster.predict(here))
    assert said == [0.25, 1.25 / 2, 1.25 / 2, 1.75 / 3]


def test_the_last_answer_holds_as_often_as_among_others() -> None:
    # After yes: yes, no. After no: yes, yes. "Either" and what is missing are passed over.
    shares = [1.0, 1.0, 0.5, 0.0, None, 1.0]
    first = Diary("p", tuple(beep(n, share) for n, share in enumerate(shares)))
    second = Diary("q", (beep(0, 0.0), beep(1, 1.0)))
    rate = 4.5 / 7
    forecaster = LastValue().fit([first, second], WARMUP)()
    here = SELF.moments[0].situation
    said = [forecaster.predict(here)]
    for share in (1.0, None, 0.5, 0.0, None):
        forecaster.learn(here, None if share is None else told(share))
        said.append(forecaster.predict(here))
    after_yes, after_no = (rate + 1) / 3, (rate + 2) / 3
    assert said == pytest.approx([rate, after_yes, after_yes, after_yes, after_no, after_no])


def test_nobody_else_and_nothing_told_is_a_half() -> None:
    for name in NAMES:
        assert methods()[name].fit((), WARMUP)().predict(SELF.moments[0].situation) == 0.5, name


def test_the_hierarchical_one_is_at_the_optimum_of_its_objective() -> None:
    pooled = Pooled()
    scaled = Scaled(pooled.shares(OTHERS, WARMUP))
    history, rows, shares = History(), [], []
    for moment in SELF.moments:
        if moment.answer is not None:
            rows.append(scaled.row(history.features(moment.situation)))
            shares.append(moment.answer.share)
        history.add(moment.situation, moment.answer)
    x, y = np.array(rows), np.array(shares)
    pull = np.array([PULL] * (x.shape[1] - 1) + [INTERCEPT_PULL])

    def loss(beta: np.ndarray) -> float:
        eta = x @ beta
        fit = np.sum(np.logaddexp(0.0, eta) - y * eta)
        return float(fit + 0.5 * np.sum(pull * (beta - scaled.weights) ** 2))

    best = minimize(
        loss, scaled.weights, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    )
    after = beep(40, 1.0, {"tense": 1.0}, "work").situation
    expected = 1 / (1 + np.exp(-scaled.row(history.features(after)) @ best.x))
    forecaster = Hierarchical(pooled).fit(OTHERS, WARMUP)()
    for moment in SELF.moments:
        forecaster.predict(moment.situation)
        forecaster.learn(moment.situation, moment.answer)
    assert forecaster.predict(after) == pytest.approx(expected, abs=1e-5)


def test_the_pooled_regression_hears_answers_only_as_the_past() -> None:
    scaled = Scaled(Pooled().shares(OTHERS, WARMUP))
    forecaster, history = fitted("pooled_logistic")(), History()
    for moment in SELF.moments:
        expected = 1 / (1 + np.exp(-scaled.row(history.features(moment.situation)) @ scaled.weights))
        assert forecaster.predict(moment.situation) == pytest.approx(expected)
        forecaster.learn(moment.situation, moment.answer)
        history.add(moment.situation, moment.answer)


@pytest.mark.parametrize("name", ["pooled_logistic", "hierarchical"])
def test_to_those_that_know_no_third_answer_either_is_no_more_a_no_than_a_yes(name: str) -> None:
    # Where the plain answers are as many yes as no, "either" between them leaves the middle in the middle.
    def answers(swapped: bool) -> Diary:
        shares = [(1.0, 0.5, 0.5, 0.0), (0.0, 0.5, 0.5, 1.0)][swapped]
        return Diary(f"p{swapped}", tuple(beep(n, shares[n % 4], {"tense": float(n % 2)}) for n in range(80)))

    forecaster = methods()[name].fit([answers(False), answers(True)], WARMUP)()
    assert forecaster.predict(SELF.moments[0].situation) == pytest.approx(0.5, abs=0.1)


def test_without_a_third_answer_the_shares_are_the_prior() -> None:
    definite = [replace(d, moments=tuple(m for m in d.moments if not m.either)) for d in OTHERS]
    pooled = Pooled()
    assert pooled.shares(definite, WARMUP) == pooled.prior(definite, WARMUP)
    assert pooled.shares((), WARMUP) == pooled.prior((), WARMUP)
