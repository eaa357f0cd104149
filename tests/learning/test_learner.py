from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.moments import distributions, events, feature_dicts, histories, labels, moments
from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.learning.features import ContextAt, Moment, Reading, features
from tracker.learning.learner import PRIOR_WORTH, EmotionLearner, SnapshotError
from tracker.learning.pipeline import Settings
from tracker.learning.replay import LearningEvent, fit

NEUTRAL = Distribution.of({Emotion.NEUTRAL: 1.0})
SAD_FACE = Distribution.of({Emotion.SADNESS: 0.7, Emotion.NEUTRAL: 0.2, Emotion.ANGER: 0.1})
RESTING = features(Reading.of(SAD_FACE), Moment(10.0, 1, ContextAt("work", "working", "alone", 600.0)))


@given(distributions, moments)
def test_untrained_it_is_the_network(network: Distribution, moment: Moment) -> None:
    own = EmotionLearner.fresh().predict(features(Reading.of(network), moment))
    assert own.probabilities == pytest.approx(network.probabilities, abs=1e-6)


@given(moments)
def test_untrained_without_a_reading_it_is_uniform(moment: Moment) -> None:
    assert EmotionLearner.fresh().predict(features(None, moment)).probabilities == (0.125,) * 8


@given(histories, feature_dicts, st.sampled_from(EMOTIONS), st.floats(0, 1))
def test_what_was_said_never_becomes_less_likely(
    history: list[LearningEvent], x: dict[str, float], said: Emotion, weight: float
) -> None:
    learner = fit(None, history)
    before = learner.predict(x)[said]
    learner.learn(x, Distribution.of({said: 1.0}), weight)
    assert learner.predict(x)[said] >= before - 1e-12


@given(histories, feature_dicts, labels)
def test_weight_zero_changes_nothing(
    history: list[LearningEvent], x: dict[str, float], y: Distribution
) -> None:
    learner = fit(None, history)
    before = learner.snapshot()
    learner.learn(x, y, 0.0)
    assert learner.snapshot() == before


@given(events, distributions)
def test_a_heavier_correction_moves_the_first_step_further(
    event: LearningEvent, network: Distribution
) -> None:
    def moved(weight: float) -> float:
        after = fit(None, [LearningEvent(event.features, event.label, weight)]).predict(event.features)
        start = EmotionLearner.fresh().predict(event.features)
        return max(
            abs(math.log(max(a, 1e-12)) - math.log(max(b, 1e-12)))
            for a, b in zip(after.probabilities, start.probabilities, strict=True)
        )

    assert moved(0.3) <= moved(1.0) + 1e-9


@given(histories, feature_dicts)
def test_all_corrections_together_leave_the_network_a_share_that_is_known(
    history: list[LearningEvent], x: dict[str, float]
) -> None:
    own, network = fit(None, history * 5).predict(x), EmotionLearner.fresh().predict(x)
    weight = 5 * sum(event.weight for event in history)
    kept = min(Settings().trust / (Settings().trust + weight), math.exp(-2 * Settings().bound))
    for p, q in zip(own.probabilities, network.probabilities, strict=True):
        assert p >= q * kept * (1 - 1e-9)


@given(histories, feature_dicts)
def test_without_a_reading_the_odds_move_by_a_bounded_factor(
    history: list[LearningEvent], x: dict[str, float]
) -> None:
    unread = {name: value for name, value in x.items() if not name.startswith("log_p=")}
    own = fit(None, history * 5).predict(unread)
    moved = [math.log(p) for p in own.probabilities]
    assert max(moved) - min(moved) <= 2 * Settings().bound + 1e-9


def test_a_certain_reading_that_keeps_being_contradicted_gives_way() -> None:
    certain = features(Reading.of(Distribution.of({Emotion.SADNESS: 1.0})), Moment(10.0, 1))
    assert fit(None, [LearningEvent(certain, NEUTRAL, 1.0)]).predict(certain).top is Emotion.SADNESS
    assert fit(None, [LearningEvent(certain, NEUTRAL, 1.0)] * 8).predict(certain).top is Emotion.NEUTRAL


def test_six_consistent_corrections_turn_a_similar_estimate() -> None:
    learner = fit(None, [LearningEvent(RESTING, NEUTRAL, 1.0)] * 6)
    similar = features(Reading.of(SAD_FACE), Moment(11.5, 2, ContextAt("work", "working", "alone", 3000.0)))
    assert learner.predict(similar).top is Emotion.NEUTRAL
    assert learner.predict(similar)[Emotion.NEUTRAL] < 0.97


def test_contradiction_leaves_the_learner_undecided_rather_than_wrecked() -> None:
    said = [Distribution.of({e: 1.0}) for e in EMOTIONS] * 12
    reading = Reading.of(Distribution.from_sequence([3, 1, 1, 10, 2, 1, 1, 1]))
    x = features(reading, Moment(10.0, 1))
    own = fit(None, [LearningEvent(x, y, 1.0) for y in said]).predict(x)
    assert max(own.probabilities) < 0.5
    assert min(own.probabilities) > 0.02


@given(histories, histories, feature_dicts)
def test_a_snapshot_predicts_and_learns_on_with_the_same_bits(
    past: list[LearningEvent], future: list[LearningEvent], x: dict[str, float]
) -> None:
    live = fit(None, past)
    thawed = EmotionLearner.restore(json.loads(json.dumps(live.snapshot(), sort_keys=True)))
    assert thawed.predict(x) == live.predict(x)
    for event in future:
        for learner in (live, thawed):
            learner.learn(event.features, event.label, event.weight)
    assert thawed.predict(x) == live.predict(x)
    assert json.dumps(thawed.snapshot()) == json.dumps(live.snapshot())


def test_a_snapshot_of_a_month_is_small() -> None:
    learner = fit(None, [LearningEvent(RESTING, NEUTRAL, 1.0)] * 300)
    assert len(json.dumps(learner.snapshot())) < 64 * 1024


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan, math.inf])
def test_weights_outside_zero_to_one_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        EmotionLearner.fresh().learn(RESTING, NEUTRAL, weight)


def test_a_feature_that_is_not_finite_is_named() -> None:
    with pytest.raises(ValueError, match="hour_sin"):
        EmotionLearner.fresh().predict({**RESTING, "hour_sin": math.nan})


def damaged(**changes: object) -> dict[str, object]:
    return {**fit(None, [LearningEvent(RESTING, NEUTRAL, 1.0)]).snapshot(), **changes}


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        damaged(version=1),
        damaged(format="pickle"),
        damaged(weights={}),
        damaged(weights=None),
        damaged(weights={e.value: {"read": math.nan} for e in EMOTIONS}),
        damaged(settings={"speed": 1.0}),
        damaged(said={"neutral": {}}),
        damaged(said={e.value: {k.value: -1.0 for k in EMOTIONS} for e in EMOTIONS}),
        damaged(credit=math.inf),
        damaged(learned="many"),
        damaged(learned=-1),
    ],
)
def test_an_unreadable_snapshot_says_to_replay(snapshot: dict[str, object]) -> None:
    with pytest.raises(SnapshotError, match="replay the corrections"):
        EmotionLearner.restore(snapshot)


@settings(max_examples=20)
@given(histories)
def test_a_prior_gives_its_weights_but_not_its_count(history: list[LearningEvent]) -> None:
    # Four corrections at most: they weigh less than what a prior may.
    prior = fit(None, history[:4])
    own = EmotionLearner.from_prior(prior.snapshot())
    assert own.learned == 0
    assert own.predict(RESTING) == prior.predict(RESTING)


def test_a_month_of_other_people_is_unlearned_within_days() -> None:
    others = fit(None, [LearningEvent(RESTING, NEUTRAL, 1.0)] * 150).snapshot()
    own = EmotionLearner.from_prior(others)
    assert own.predict(RESTING).top is Emotion.NEUTRAL
    rows = own.snapshot()["said"].values()
    assert max(sum(row.values()) for row in rows) <= PRIOR_WORTH + 1e-9
    for _ in range(15):
        own.learn(RESTING, Distribution.of({Emotion.SADNESS: 1.0}), 1.0)
    assert own.predict(RESTING).top is Emotion.SADNESS
