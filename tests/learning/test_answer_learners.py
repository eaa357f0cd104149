from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.days import Event, some_prior, streams
from tracker.learning.answer_learners import NumberLearner, YesNoLearner
from tracker.learning.learner import SnapshotError
from tracker.learning.prior import MAX_NAMES, PriorError
from tracker.learning.prior_fitting import Row, fit_prior

PRIORS: dict[str, list[dict[str, Any] | None]] = {
    "yes_no": [None, some_prior().as_json(), some_prior(either=0.3).as_json()],
    "number": [None, some_prior("number").as_json()],
}
Learner = YesNoLearner | NumberLearner
KINDS: list[type[Learner]] = [YesNoLearner, NumberLearner]


def through_json(learner: Learner) -> Learner:
    return type(learner).restore(json.loads(json.dumps(learner.snapshot())))


def teach(learner: Learner, stream: list[Event]) -> None:
    for event in stream:
        learner.learn(event.features, event.share, event.weight)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(streams, streams, st.data())
def test_thawed_it_predicts_and_learns_on_with_the_same_bits(
    kind: type[Learner], stream: list[Event], more: list[Event], data: st.DataObject
) -> None:
    learner = kind.fresh(data.draw(st.sampled_from(PRIORS[kind.KIND])))
    teach(learner, stream)
    back = through_json(learner)
    assert back.snapshot() == learner.snapshot()
    for event in more:
        assert back.predict(event.features) == learner.predict(event.features)
        teach(back, [event])
        teach(learner, [event])
        back = through_json(back)
    assert back.snapshot() == learner.snapshot()
    assert back.learned == learner.learned == sum(e.weight > 0 for e in stream + more)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(streams, st.randoms(use_true_random=False), st.data())
def test_the_order_of_a_moments_features_changes_no_bit(
    kind: type[Learner], stream: list[Event], random: Any, data: st.DataObject
) -> None:
    def shuffled(event: Event) -> Event:
        items = list(event.features.items())
        random.shuffle(items)
        return event._replace(features=dict(items))

    frozen = data.draw(st.sampled_from(PRIORS[kind.KIND]))
    one, other = kind.fresh(frozen), kind.fresh(frozen)
    teach(one, stream)
    teach(other, [shuffled(event) for event in stream])
    assert one.snapshot() == other.snapshot()
    for event in stream:
        assert one.predict(event.features) == other.predict(shuffled(event).features)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(streams, streams.filter(bool), st.data())
def test_weight_zero_changes_nothing(
    kind: type[Learner], stream: list[Event], other: list[Event], data: st.DataObject
) -> None:
    learner = kind.fresh(data.draw(st.sampled_from(PRIORS[kind.KIND])))
    teach(learner, stream)
    before = learner.snapshot()
    learner.learn(other[0].features, other[0].share, 0.0)
    assert learner.snapshot() == before


@settings(deadline=None)
@given(streams, streams.filter(bool), st.sampled_from(PRIORS["yes_no"]))
def test_what_is_said_of_yes_is_a_probability_that_nobody_is_quite_sure_of(
    stream: list[Event], other: list[Event], frozen: dict[str, Any] | None
) -> None:
    learner = YesNoLearner.fresh(frozen)
    teach(learner, stream * 5)
    assert 1e-4 <= learner.predict(other[0].features) <= 1 - 1e-4


@settings(deadline=None)
@given(streams, streams.filter(bool), st.sampled_from(PRIORS["number"]))
def test_a_number_is_within_its_scale_and_its_spread_is_one(
    stream: list[Event], other: list[Event], frozen: dict[str, Any] | None
) -> None:
    learner = NumberLearner.fresh(frozen)
    teach(learner, stream)
    mean, spread = learner.predict(other[0].features)
    assert -1.0 <= mean <= 1.0
    assert 0.0 < spread < math.inf


FIT = """
import hashlib, json, sys
from tests.learning.test_answer_learners import life
print(hashlib.sha256(json.dumps(life()).encode()).hexdigest())
"""


def life() -> list[Any]:
    """What two learners, one of each kind, come to over a month; names met in the order of a set."""
    found: list[Any] = []
    for kind in KINDS:
        for frozen in PRIORS[kind.KIND]:
            learner, rng = kind.fresh(frozen), np.random.default_rng(3)
            for n in range(60):
                named = {f"now:{name}" for name in ("tired", "tense", "calm", "else", "more")}
                x = {"at": n / 4, **{name: round(0.1 * (hash_free(name) % 9) - n % 3, 3) for name in named}}
                learner.learn(x, (0.0, 0.5, 1.0)[int(rng.integers(3))], 1.0)
            found += [learner.predict(x), learner.snapshot()["state"]]
    return found


def hash_free(name: str) -> int:
    """A number that hangs on a name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:4], 16)


def test_another_process_with_other_hashes_comes_to_the_same_bits() -> None:
    root = Path(__file__).parents[2]
    here = hashlib.sha256(json.dumps(life()).encode()).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        there = subprocess.run(
            [sys.executable, "-c", FIT], cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == here


@pytest.mark.parametrize("pooled", [True, False])
def test_the_largest_snapshot_is_at_most_64_kib(pooled: bool) -> None:
    rng = np.random.default_rng(0)
    names = [f"word:company+activity:{i:03d}:known" for i in range(100)]

    def seen(n: int) -> dict[str, float]:
        return {"at": n / 10, **{name: float(v) for name, v in zip(names, rng.normal(size=100), strict=True)}}

    # Pseudonyms as the app makes them, and as many contributors as a large study has.
    rows = [Row(f"{n % 100:032x}", seen(n), (0.0, 0.5, 1.0)[n % 3]) for n in range(300)]
    learner = YesNoLearner.fresh(fit_prior(rows, "yes_no").as_json() if pooled else None)
    for n in range(120):
        learner.learn(seen(n), (0.0, 0.5, 1.0)[n % 3], 1.0)
    assert len(learner.weights) == MAX_NAMES + 1
    assert sum(learner.chances(seen(1))) == pytest.approx(1.0)
    assert learner.chances(seen(1))[1] > 0
    assert len(json.dumps(learner.snapshot()).encode()) <= 64 * 1024
    assert through_json(learner).snapshot() == learner.snapshot()


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def damage(snapshot: dict[str, Any]) -> None:
        for key in path[:-1]:
            snapshot = snapshot[key]
        snapshot[path[-1]] = to

    return damage


def _cut(*path: str) -> Callable[[dict[str, Any]], None]:
    def damage(snapshot: dict[str, Any]) -> None:
        for key in path[:-1]:
            snapshot = snapshot[key]
        del snapshot[path[-1]]

    return damage


DAMAGES = {
    "format": _set("format", to="affect-tracker/emotion-learner"),
    "version": _set("version", to=99),
    "of before": _set("version", to=1),
    "no record where there should be one": _set("state", "sureness", to=None),
    "no prior": _cut("prior"),
    "no state": _cut("state"),
    "no yes": _cut("state", "yes"),
    "no sureness": _cut("state", "sureness"),
    "state is text": _set("state", to="gone"),
    "prior is text": _set("prior", to="gone"),
    "another prior": _set("prior", to=some_prior("number").as_json()),
    "of another size": _set("prior", to=PRIORS["yes_no"][1]),
    "not base64": _set("state", "yes", "precision", to="%%%"),
    "cut off": _set("state", "yes", "shift", to="AAAA"),
    "an instant that is none": _set("state", "yes", "at", to=math.nan),
    "a count below zero": _set("state", "yes", "learned", to=-1),
    "a name twice": _set("state", "yes", "names", to=["now:tired", "now:tired"]),
    "no longer mirrored": _set("state", "no", "names", to=[]),
    "sure of nothing": _set("state", "sureness", "mean", to=[]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_is_refused(damage: str) -> None:
    learner = YesNoLearner.fresh()
    teach(learner, [Event({"at": 1.0, "now:tired": 1.0, "now:tense": 0.5}, 0.5, 1.0)] * 3)
    snapshot = json.loads(json.dumps(learner.snapshot()))
    YesNoLearner.restore(snapshot)
    DAMAGES[damage](snapshot)
    with pytest.raises(SnapshotError, match="replay the corrections"):
        YesNoLearner.restore(snapshot)


def test_without_readings_it_says_what_its_regression_says() -> None:
    rows = [Row(who, {"told:month": m, "at": 0.0}, float(m > 0)) for who in "ab" for m in (-0.4, 0.4) * 20]
    blind = YesNoLearner.fresh(fit_prior(rows, "yes_no").as_json())
    seeing = YesNoLearner.fresh(some_prior().as_json())
    for learner, name in ((blind, "told:month"), (seeing, "now:tired")):
        for day in range(12):
            learner.learn({"at": float(day), name: 0.4}, float(day % 4 == 0), 1.0)
        assert isinstance(learner, YesNoLearner)
        plain = learner.chances({"at": 12.0, name: 0.4})[0]
        assert (learner.predict({"at": 12.0, name: 0.4}) == pytest.approx(plain, abs=1e-12)) is (
            learner is blind
        )
    back = through_json(blind)
    assert back.snapshot() == blind.snapshot()


def test_numbers_that_are_no_precision_are_refused() -> None:
    learner = NumberLearner.fresh(PRIORS["number"][1])
    teach(learner, [Event({"at": 1.0, "now:tired": 1.0}, 0.5, 1.0)])
    assert isinstance(learner, NumberLearner)
    learner._estimator.state._precision = -100.0 * np.eye(len(learner.weights))
    with pytest.raises(SnapshotError):
        NumberLearner.restore(learner.snapshot())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("x", "value", "weight"),
    [
        ({"now:tired": 1.0}, 1.5, 1.0),
        ({"now:tired": 1.0}, -1.5, 1.0),
        ({"now:tired": 1.0}, math.nan, 1.0),
        ({"now:tired": 1.0}, 1.0, -0.1),
        ({"now:tired": 1.0}, 1.0, 1.1),
        ({"now:tired": 1.0}, 1.0, math.nan),
        ({"now:tired": math.inf}, 1.0, 1.0),
        ({"at": math.nan}, 1.0, 1.0),
    ],
)
def test_impossible_values_are_refused_and_change_nothing(
    kind: type[Learner], x: dict[str, float], value: float, weight: float
) -> None:
    learner = kind.fresh()
    before = learner.snapshot()
    with pytest.raises(ValueError, match=r"is not in|leave out"):
        learner.learn(x, value, weight)
    assert learner.snapshot() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_prior_of_another_kind_is_refused(kind: type[Learner]) -> None:
    other = "number" if kind is YesNoLearner else "yes_no"
    with pytest.raises(PriorError, match="cannot start"):
        kind.fresh(PRIORS[other][1])


def test_it_becomes_the_persons_own() -> None:
    """Somebody who is the opposite of everybody else is understood within two weeks."""
    learner = YesNoLearner.fresh(PRIORS["yes_no"][1])
    start = learner.predict({"now:tired": 2.0})
    for n in range(70):
        tired = (-2.0, 2.0)[n % 2]
        learner.learn({"at": n / 5, "now:tired": tired}, float(tired < 0), 1.0)
    assert start > 0.55
    assert learner.predict({"at": 14.1, "now:tired": 2.0}) < 0.4
    assert learner.predict({"at": 14.1, "now:tired": -2.0}) > 0.6
