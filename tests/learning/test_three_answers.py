from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.days import Event, keyed, shares, some_prior, streams
from tracker.learning.answer_learners import YesNoLearner
from tracker.learning.personal_regression import PersonalLogistic, PriorScaler
from tracker.learning.prior import Prior, no_prior
from tracker.learning.three_answers import EITHER, NO, YES, ThreeAnswers

PRIORS = (no_prior("yes_no"), some_prior(), some_prior(either=0.3))
priors = st.sampled_from(PRIORS)


def learned(prior: Prior, stream: list[Event]) -> ThreeAnswers:
    model, scaler = ThreeAnswers(prior), PriorScaler(prior)
    for event in stream:
        model.learn_one(scaler.transform_one(keyed(event.features)), event.share, w=event.weight)
    return model


def plain(stream: list[Event]) -> list[Event]:
    """The same answers, each of them a yes or a no."""
    return [event._replace(share=float(event.share >= 0.5)) for event in stream]


@settings(deadline=None)
@given(streams, streams.filter(bool), st.sampled_from(PRIORS[:2]))
def test_while_nobody_says_either_it_is_the_logistic_one(
    stream: list[Event], other: list[Event], prior: Prior
) -> None:
    model, logistic = learned(prior, plain(stream)), PersonalLogistic(prior)
    scaler = PriorScaler(prior)
    for event in plain(stream):
        logistic.learn_one(scaler.transform_one(keyed(event.features)), event.share, w=event.weight)
    x = scaler.transform_one(keyed(other[0].features))
    yes = logistic.predict_proba_one(x)
    assert model.predict_proba_one(x) == {YES: yes[True], EITHER: 0.0, NO: yes[False]}
    assert model.weights == logistic.weights


@settings(deadline=None)
@given(streams, streams.filter(bool), st.sampled_from(PRIORS[:2]))
def test_the_second_regression_begins_as_the_exact_mirror_image(
    stream: list[Event], other: list[Event], prior: Prior
) -> None:
    model = learned(prior, plain(stream))
    mirror = model._mirror()
    x = PriorScaler(prior).transform_one(keyed(other[0].features))
    assert mirror.weights == {name: -weight for name, weight in model.weights.items()}
    assert mirror.predict_proba_one(x)[True] == pytest.approx(model.predict_proba_one(x)[NO], abs=1e-15)


@settings(deadline=None)
@given(streams, streams.filter(bool), st.sampled_from(PRIORS[:2]))
def test_had_it_stood_there_from_the_start_it_would_be_the_same(
    stream: list[Event], other: list[Event], prior: Prior
) -> None:
    """When the first "either" comes makes no difference to what the answers before it taught."""
    scaler = PriorScaler(prior)
    late, early = learned(prior, plain(stream)), ThreeAnswers(prior)
    early._no = early._mirror()
    for event in plain(stream):
        early.learn_one(scaler.transform_one(keyed(event.features)), event.share, w=event.weight)
    x = scaler.transform_one(keyed(other[0].features))
    for model in (late, early):
        model.learn_one(x, 0.5)
    assert late.predict_proba_one(x) == pytest.approx(early.predict_proba_one(x), abs=1e-9)


@settings(deadline=None)
@given(streams, streams.filter(bool), priors)
def test_the_answers_turned_round_swap_yes_and_no(
    stream: list[Event], other: list[Event], prior: Prior
) -> None:
    turned = [event._replace(share=1.0 - event.share) for event in stream]
    opposite = prior.turned()
    if prior.three_answers:
        own = {"opposite": prior.weights, "opposite_intercept": prior.intercept}
        opposite = Prior(**{**{f: getattr(opposite, f) for f in Prior.__slots__}, **own})
    x = PriorScaler(prior).transform_one(keyed(other[0].features))
    one, two = learned(prior, stream).predict_proba_one(x), learned(opposite, turned).predict_proba_one(x)
    assert (one[YES], one[EITHER]) == pytest.approx((two[NO], two[EITHER]), abs=1e-9)


@settings(deadline=None)
@given(streams, streams.filter(bool), priors)
def test_the_three_chances_sum_to_one(stream: list[Event], other: list[Event], prior: Prior) -> None:
    found = learned(prior, stream).predict_proba_one(
        PriorScaler(prior).transform_one(keyed(other[0].features))
    )
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 <= chance <= 1.0 for chance in found.values())


@settings(deadline=None)
@given(streams, streams.filter(bool), priors)
def test_a_decision_is_as_sure_as_its_plain_opposite_is_unlikely(
    stream: list[Event], other: list[Event], prior: Prior
) -> None:
    learner = YesNoLearner.fresh(prior.as_json())
    for event in stream:
        learner.learn(event.features, event.share, event.weight)
    yes, either, no = learner.chances(other[0].features)
    said = learner._said(other[0].features)
    assert yes + either + no == pytest.approx(1.0, abs=1e-12)
    if abs(yes - no) > 1e-9:
        assert (said >= 0.5) == (yes > no)
    opposite = no if said >= 0.5 else yes
    # Within the least distance from one half that tells the sides apart.
    assert max(said, 1.0 - said) == pytest.approx(1.0 - opposite, abs=2e-4)
    assert (learner.predict(other[0].features) >= 0.5) == (said >= 0.5)


@settings(deadline=None)
@given(streams, streams.filter(bool), shares, priors)
def test_weight_zero_learns_nothing(
    stream: list[Event], other: list[Event], share: float, prior: Prior
) -> None:
    model = learned(prior, stream)
    before = model.freeze()
    model.learn_one(keyed(other[0].features), share, w=0.0)
    assert model.freeze() == before


def test_whoever_finds_either_fine_is_told_so() -> None:
    model = ThreeAnswers(some_prior())
    for n in range(30):
        model.learn_one({"at": n / 4, "now:tired": 0.0}, 0.5)
    chances = model.predict_proba_one({"now:tired": 0.0})
    assert chances[EITHER] > 0.6
    assert model.learned == 30
