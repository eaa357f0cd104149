from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import datasets
from river.checks import clf, common
from scipy.optimize import minimize

from tests.learning.days import Event, keyed, rows, shares, some_prior, streams
from tracker.learning.personal_regression import (
    INTERCEPT_PULL,
    PULL,
    PersonalLinear,
    PersonalLogistic,
    PriorScaler,
)
from tracker.learning.prior import CLIP, MAX_NAMES, Prior
from tracker.learning.prior_fitting import fit_prior, matrix, standardise
from tracker.learning.three_answers import ThreeAnswers

YES_NO, NUMBER = some_prior(), some_prior("number")
SCALED = {"yes_no": PriorScaler(YES_NO), "number": PriorScaler(NUMBER)}
Model = PersonalLogistic | PersonalLinear

GENERAL = [
    common.check_repr,
    common.check_str,
    common.check_tags,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_doc,
    common.check_clone_changes_memory_addresses,
    common.check_mutate_can_be_idempotent,
    common.check_pickling_supports_roundtrip,
    common.check_repr_roundtrips_clone,
    common.check_clone_with_new_params_applies,
    common.check_get_params_matches_signature,
]
ON_DATA = [
    common.check_learn_one,
    common.check_pickling,
    common.check_shuffle_features_no_impact,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_radically_disappearing_features,
    common.check_predict_one_pure,
    common.check_predict_one_before_any_learn,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
    common.check_bounded_memory_growth,
]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    state = random.getstate()
    random.seed(0)  # river's checks draw features from the global generator
    yield
    random.setstate(state)


@pytest.mark.parametrize("model", [PersonalLogistic, PersonalLinear, ThreeAnswers])
@pytest.mark.parametrize("check", GENERAL, ids=lambda c: c.__name__)
def test_river_general_checks(check: Callable[[Any], None], model: Callable[[], Any]) -> None:
    check(model())


@pytest.mark.parametrize("model", [PersonalLogistic, PersonalLinear])
@pytest.mark.parametrize("check", ON_DATA, ids=lambda c: c.__name__)
def test_river_checks_on_data(check: Callable[..., None], model: Callable[[], Any]) -> None:
    data = datasets.Phishing() if model is PersonalLogistic else datasets.TrumpApproval()  # type: ignore[no-untyped-call]
    scale = 1.0 if model is PersonalLogistic else 1e-2
    taken = [({k: v * scale for k, v in x.items()}, y) for x, y in data.take(100)]
    partial(check, dataset=taken)(model())


def test_river_check_of_probabilities() -> None:
    phishing = list(datasets.Phishing().take(100))
    partial(clf.check_predict_proba_one, dataset=phishing)(PersonalLogistic())


@settings(deadline=None)
@given(streams)
def test_it_starts_as_the_pooled_predictor(stream: list[Event]) -> None:
    trusting = PersonalLogistic(YES_NO, pull=1e15, intercept_pull=1e15)
    model, number = PersonalLogistic(YES_NO), PersonalLinear(NUMBER)
    assert list(model.weights.values()) == pytest.approx([*YES_NO.weights, YES_NO.intercept], abs=1e-14)
    for event in stream:
        raw = matrix([event.features], YES_NO.names)
        x = standardise(raw, np.array(YES_NO.means), np.array(YES_NO.scales))[0]
        eta = float(x @ np.array(YES_NO.weights)) + YES_NO.intercept
        seen = SCALED["yes_no"].transform_one(keyed(event.features))
        assert trusting.predict_proba_one(seen)[True] == pytest.approx(1 / (1 + math.exp(-eta)), abs=1e-12)
        # Its own doubt moves no moment over to the other side, and none away from one half.
        p = model.predict_proba_one(seen)[True]
        assert (p - 0.5) * eta >= -1e-12
        assert abs(p - 0.5) <= abs(1 / (1 + math.exp(-eta)) - 0.5) + 1e-12
        z = standardise(
            matrix([event.features], NUMBER.names), np.array(NUMBER.means), np.array(NUMBER.scales)
        )
        expected = float(z[0] @ np.array(NUMBER.weights)) + NUMBER.intercept
        got = number.predict_one(SCALED["number"].transform_one(keyed(event.features)))
        assert got == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("kind", "make"), [("yes_no", PersonalLogistic), ("number", PersonalLinear)])
def test_forgetting_pulls_it_back_to_the_pooled_predictor(kind: str, make: Callable[..., Model]) -> None:
    prior = some_prior(kind)
    model = make(prior)
    for n in range(40):
        model.learn_one({"at": n / 4, "now:tired": 1.0}, 0.0)
    start = [*prior.weights, prior.intercept]
    moved = np.abs(np.array(list(model.weights.values())) - start).max()
    model.learn_one({"at": 365.0, "now:tired": -1.0}, 0.5, w=1e-9)
    kept = np.abs(np.array(list(model.weights.values())) - start).max()
    assert moved > 0.2
    assert kept < 1e-3


def _own(seed: int, count: int) -> list[tuple[dict[Any, Any], float]]:
    return [
        (SCALED["yes_no"].transform_one(keyed(row.features)), row.value)
        for row in rows(seed, people=1, each=count)
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [3, 30, 120])
def test_without_forgetting_it_is_close_to_the_exact_posterior_mode(seed: int, count: int) -> None:
    model = PersonalLogistic(YES_NO, half_life=math.inf)
    own = _own(100 + seed, count)
    for x, y in own:
        model.learn_one(x, y)
    design = np.array([model._vector(x) for x, _ in own])
    said = np.array([value for _, value in own])
    start = np.array([*YES_NO.weights, YES_NO.intercept])
    pull = np.array([PULL] * len(YES_NO.names) + [INTERCEPT_PULL])

    def loss(beta: Any) -> float:
        eta = design @ beta
        return float(np.sum(np.logaddexp(0, eta) - said * eta) + 0.5 * np.sum(pull * (beta - start) ** 2))

    exact = minimize(loss, start, method="BFGS", options={"gtol": 1e-7}).x
    fitted = np.array(list(model.weights.values()))
    p, q = (1 / (1 + np.exp(-design @ beta)) for beta in (fitted, exact))
    # One step per answer never goes back to an answer: probabilities agree within three points everywhere.
    assert np.abs(p - q).max() < 0.03
    assert np.abs(p - q).mean() < 0.012


def test_without_forgetting_the_linear_one_is_exact() -> None:
    model = PersonalLinear(NUMBER, half_life=math.inf)
    own = [(SCALED["number"].transform_one(keyed(r.features)), r.value) for r in rows(7, people=1, each=60)]
    for x, y in own:
        model.learn_one(x, y, w=0.5)
    design = np.array([model._vector(x) for x, _ in own])
    pull = np.diag([PULL] * len(NUMBER.names) + [INTERCEPT_PULL])
    start = np.array([*NUMBER.weights, NUMBER.intercept])
    exact = np.linalg.solve(
        pull + 0.5 * design.T @ design, pull @ start + 0.5 * design.T @ np.array([y for _, y in own])
    )
    # The precision is kept in single precision.
    assert list(model.weights.values()) == pytest.approx(exact, abs=1e-5)


def _learned(prior: Prior | None, stream: list[Event]) -> PersonalLogistic:
    model = PersonalLogistic(prior)
    scaler = PriorScaler(model.prior)
    for event in stream:
        model.learn_one(scaler.transform_one(keyed(event.features)), event.share, w=event.weight)
    return model


@settings(deadline=None, max_examples=200)
@given(streams, streams.filter(bool), st.floats(0.01, 1), st.booleans(), st.booleans())
def test_a_yes_never_makes_yes_less_likely_there(
    stream: list[Event], other: list[Event], weight: float, yes: bool, pooled: bool
) -> None:
    model = _learned(YES_NO if pooled else None, stream)
    x = PriorScaler(model.prior).transform_one(
        keyed({**other[0].features, "at": stream[-1].features["at"] if stream else 20_000.0})
    )
    model.learn_one(x, False, w=1e-12)  # the names are met
    before = model.predict_proba_one(x)[yes]
    model.learn_one(x, yes, w=weight)
    assert model.predict_proba_one(x)[yes] >= before - 1e-9


@settings(deadline=None)
@given(streams, streams.filter(bool), shares)
def test_weight_zero_learns_nothing(stream: list[Event], other: list[Event], share: float) -> None:
    model = _learned(YES_NO, stream)
    number = PersonalLinear()
    before = model.freeze(), number.freeze()
    model.learn_one(keyed(other[0].features), share, w=0.0)
    number.learn_one(keyed(other[0].features), share, w=0.0)
    assert (model.freeze(), number.freeze()) == before


@settings(deadline=None)
@given(streams, streams.filter(bool))
def test_what_it_forgets_hangs_on_time_alone(stream: list[Event], other: list[Event]) -> None:
    later = [e._replace(features={**e.features, "at": e.features["at"] + 1024.0}) for e in stream]
    x = keyed(other[0].features)
    assert _learned(YES_NO, later).predict_proba_one(x) == pytest.approx(
        _learned(YES_NO, stream).predict_proba_one(x), abs=1e-6
    )


def test_without_a_prior_features_join_as_they_are_met_up_to_the_cap() -> None:
    model = PersonalLogistic()
    model.learn_one({"at": 1.0, "b": 1.0}, True)
    model.learn_one({"at": 1.5, "a": 1.0, "c": -1.0}, False)
    assert list(model.weights) == ["b", "a", "c", ""]
    assert model.weights["b"] > 0 > model.weights["a"]
    model.learn_one({"at": 2.0, **{f"x{i:03d}": 1.0 for i in range(200)}}, True)
    assert len(model.weights) == MAX_NAMES + 1
    assert f"x{MAX_NAMES - 4:03d}" in model.weights
    assert f"x{MAX_NAMES - 3:03d}" not in model.weights
    model.learn_one({"at": 3.0, "late": 1.0}, True)
    assert "late" not in model.weights


def test_a_name_that_joins_later_changes_nothing_said_before() -> None:
    model, twin = PersonalLogistic(), PersonalLogistic()
    for m in (model, twin):
        m.learn_one({"at": 1.0, "a": 1.0}, True)
        m.learn_one({"at": 1.2, "a": -0.5}, False)
    model._join(["b"])
    assert model.predict_proba_one({"a": 0.7}) == pytest.approx(twin.predict_proba_one({"a": 0.7}), abs=1e-12)


def test_with_a_prior_no_other_name_joins() -> None:
    model = PersonalLogistic(YES_NO)
    model.learn_one({"at": 1.0, "never seen": 1.0}, True)
    assert list(model.weights) == [*YES_NO.names, ""]


def test_where_it_was_never_seen_it_is_less_sure() -> None:
    model = PersonalLogistic(fit_prior(rows(people=20, each=100), "yes_no"))
    spread = [model.state.variance(model._vector({"now:tired": far})) for far in (0.0, 1.0, 3.0)]
    assert spread == sorted(spread)
    number = PersonalLinear(NUMBER)
    before = number.spread_one({"now:tired": 1.0})
    number.learn_one({"at": 1.0, "now:tired": 1.0}, 0.5)
    assert number.spread_one({"now:tired": 1.0}) < before


@given(st.floats(-1e6, 1e6))
def test_the_scaler_clips_and_drops_what_the_prior_does_not_know(value: float) -> None:
    scaled = PriorScaler(YES_NO).transform_one({"at": 3.0, "now:tired": value, "now:else": 1.0})
    assert scaled["at"] == 3.0
    assert abs(scaled["now:tired"]) <= CLIP
    assert "now:else" not in scaled
    # A category that is not there is 0, not unknown.
    assert scaled["is:place=home"] < 0


def test_a_copy_learns_on_alone() -> None:
    model = _learned(YES_NO, [Event({"at": 1.0, "now:tired": 1.0}, 1.0, 1.0)])
    twin = copy.deepcopy(model)
    twin.learn_one({"at": 2.0, "now:tired": 1.0}, True)
    assert model.learned == 1
    assert model.freeze() != twin.freeze()
