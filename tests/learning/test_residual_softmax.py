from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from river import datasets
from river.checks import clf, common

from tracker.learning.residual_softmax import ResidualSoftmax

# What `river.checks.check_estimator` runs on a multiclass classifier; that function itself needs
# scikit-learn, which nothing else here does.
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
    clf.check_predict_proba_one,
    clf.check_classifier_tracks_seen_labels,
]
DATA: dict[str, Callable[[], Any]] = {
    "phishing": lambda: list(datasets.Phishing().take(150)),
    "segments": lambda: list(datasets.ImageSegments().take(150)),
}


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    state = random.getstate()
    random.seed(0)  # river's checks draw features from the global generator
    yield
    random.setstate(state)


@pytest.mark.parametrize("check", GENERAL, ids=lambda c: c.__name__)
def test_river_general_checks(check: Callable[[Any], None]) -> None:
    check(ResidualSoftmax())


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("check", ON_DATA, ids=lambda c: c.__name__)
def test_river_checks_on_data(check: Callable[..., None], data: str) -> None:
    partial(check, dataset=DATA[data]())(ResidualSoftmax())


def test_a_soft_label_is_the_fixed_point_of_learning_it() -> None:
    model = ResidualSoftmax(rate=0.5, classes=("a", "b"))
    x = {"log_p=a": math.log(0.9), "log_p=b": math.log(0.1), "one": 1.0}
    for _ in range(300):
        model.learn_one(x, {"a": 0.3, "b": 0.7})
    assert model.predict_proba_one(x)["b"] == pytest.approx(0.7, abs=1e-3)


def test_l2_pulls_back_to_the_given_distribution() -> None:
    x = {"log_p=a": math.log(0.9), "log_p=b": math.log(0.1), "one": 1.0}
    free, pulled = (ResidualSoftmax(rate=0.5, l2=l2, classes=("a", "b")) for l2 in (0.0, 0.5))
    for model in (free, pulled):
        for _ in range(100):
            model.learn_one(x, {"a": 0.3, "b": 0.7})
    assert 0.1 < pulled.predict_proba_one(x)["b"] < free.predict_proba_one(x)["b"]


def test_the_given_distribution_is_never_learned_from() -> None:
    model = ResidualSoftmax(classes=("a", "b"))
    model.learn_one({"log_p=a": -0.1, "log_p=b": -2.0}, "b")
    assert not model.weights


def test_at_the_bound_it_stops_winding_up_and_turns_back_at_once() -> None:
    model = ResidualSoftmax(rate=1.0, bound=1.0, classes=("a", "b"))
    x = {"log_p=a": 0.0, "log_p=b": -9.0, "one": 1.0}
    for _ in range(1000):
        model.learn_one(x, "b")
    before = copy.deepcopy(model)
    model.learn_one(x, "a")
    model.learn_one(x, "a")
    model.learn_one(x, "a")
    assert before.weights["one"][1] <= 2.0
    assert model.predict_proba_one(x)["a"] >= before.predict_proba_one(x)["a"]
