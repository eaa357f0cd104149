from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.days import NAMES, rows, some_prior
from tracker.learning.prior import MAX_NAMES, Prior, PriorError, no_prior
from tracker.learning.prior_fitting import Row, fit_prior, standardise

KINDS = ("yes_no", "number")
few = st.lists(
    st.builds(
        Row,
        st.sampled_from("ab"),
        st.dictionaries(st.sampled_from(NAMES), st.floats(-9, 9), min_size=1),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from([0.3, 1.0]),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(few, st.data(), st.sampled_from(KINDS))
def test_the_order_of_rows_changes_no_bit(given_rows: list[Row], data: st.DataObject, kind: str) -> None:
    shuffled = data.draw(st.permutations(given_rows))
    turned = [Row(r.contributor, dict(reversed([*r.features.items()])), r.value, r.weight) for r in shuffled]
    assert fit_prior(shuffled, kind) == fit_prior(given_rows, kind) == fit_prior(turned, kind)


def test_rows_that_differ_in_nothing_but_where_their_numbers_stand_have_an_order() -> None:
    same_sum = [Row("a", {"now:x": 0.1 * i, "now:y": 0.7 - 0.1 * i}, 1.0) for i in range(8)]
    assert fit_prior(same_sum[::-1], "yes_no") == fit_prior(same_sum, "yes_no")


@pytest.mark.parametrize("kind", KINDS)
def test_without_somebody_it_is_the_fit_of_the_others_rows(kind: str) -> None:
    everybody = rows()
    without = fit_prior([row for row in everybody if row.contributor != "c1"], kind)
    loud = [Row("c1", dict.fromkeys(NAMES, 9.0), 1.0)] * 50
    changed = [row for row in everybody if row.contributor != "c1"] + loud
    assert fit_prior([row for row in changed if row.contributor != "c1"], kind) == without
    assert fit_prior(everybody, kind) != without
    assert "c1" not in dict(without.contributors)


def test_the_manifest_counts_every_answer_of_every_contributor() -> None:
    assert fit_prior(rows(people=3, each=7), "yes_no").contributors == (("c0", 7), ("c1", 7), ("c2", 7))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("either", [0.0, 0.3])
def test_json_gives_it_back(kind: str, either: float) -> None:
    prior = some_prior(kind, either=either)
    back = Prior.from_json(json.loads(json.dumps(prior.as_json())))
    assert back == prior
    assert back.sha256 == prior.sha256
    assert back.sha256 != no_prior(kind).sha256


DAMAGE: dict[str, Any] = {
    "format": "something/else",
    "version": 99,
    "kind": None,
    "names": ["now:tired"],
    "means": [math.nan] * 4,
    "scales": [0.0] * 5,
    "weights": ["heavy"] * 5,
    "intercept": math.inf,
    "noise": -1.0,
    "contributors": [["c0"]],
    "opposite": [1.0],
    "opposite_intercept": "none",
}


@pytest.mark.parametrize("field", DAMAGE)
def test_a_damaged_one_is_refused(field: str) -> None:
    frozen = some_prior(either=0.2).as_json()
    assert Prior.from_json(frozen).three_answers
    if field != "kind":
        with pytest.raises(PriorError):
            Prior.from_json({**frozen, field: DAMAGE[field]})
    with pytest.raises(PriorError):
        Prior.from_json({key: value for key, value in frozen.items() if key != field})


def test_a_name_twice_is_refused() -> None:
    frozen = Prior("yes_no", ("a", "b"), (0.0, 0.0), (1.0, 1.0), (1.0, 2.0), 0.0, 1.0, ()).as_json()
    with pytest.raises(PriorError):
        Prior.from_json({**frozen, "names": ["a", "a"]})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 2, 200])
def test_where_everybody_answers_the_same_it_is_finite(kind: str, value: float, count: int) -> None:
    rng = np.random.default_rng(1)
    same = [Row(f"c{n % 3}", {"now:tired": float(rng.normal())}, value) for n in range(count)]
    prior = fit_prior(same, kind)
    assert all(map(math.isfinite, (*prior.weights, *prior.opposite, prior.intercept, prior.noise)))
    if kind == "number":
        assert prior.intercept == pytest.approx(value, abs=0.01)
    elif value != 0.5:
        assert (prior.intercept > 0) == (value == 1.0)


def test_it_finds_what_people_have_in_common() -> None:
    prior = fit_prior(rows(people=20, each=200), "yes_no")
    weights = dict(zip(prior.names, prior.weights, strict=True))
    assert weights["now:tired"] > 0.8
    assert abs(weights["told:last"]) < 0.2


def test_without_either_no_is_the_mirror_of_yes() -> None:
    prior = some_prior()
    assert not prior.three_answers
    assert prior.turned().weights == tuple(-w for w in prior.weights)
    assert prior.turned().turned() == prior


def test_with_either_no_has_a_regression_of_its_own() -> None:
    prior = some_prior(either=0.5)
    assert prior.three_answers
    turned = prior.turned()
    assert turned.weights == prior.opposite
    assert not turned.three_answers
    # Half of the answers were neither: a plain yes and a plain no are both rarer than one half.
    assert prior.intercept < 0
    assert turned.intercept < 0


def test_turning_the_answers_round_swaps_the_two_regressions() -> None:
    given_rows = rows(either=0.3)
    turned = [Row(r.contributor, r.features, 1.0 - r.value, r.weight) for r in given_rows]
    one, other = fit_prior(given_rows, "yes_no"), fit_prior(turned, "yes_no")
    assert other.weights == pytest.approx(one.opposite, abs=1e-6)
    assert other.opposite_intercept == pytest.approx(one.intercept, abs=1e-6)


def test_it_looks_at_no_more_than_the_commonest_names() -> None:
    rng = np.random.default_rng(0)
    many = [Row("a", {f"now:{i:03d}": float(rng.normal()) for i in range(100)}, n % 2) for n in range(40)]
    rare = [Row("b", {"now:zzz": 1.0}, 1.0)]
    names = fit_prior(many + rare, "yes_no").names
    assert len(names) == MAX_NAMES
    assert "now:zzz" not in names
    assert list(names) == sorted(names)


def test_what_is_unknown_counts_as_the_mean_and_nothing_counts_beyond_four_deviations() -> None:
    scaled = standardise(np.array([[np.nan, 100.0]]), np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    assert scaled.tolist() == [[0.0, 4.0]]


@pytest.mark.parametrize(("given_rows", "kind"), [([], "yes_no"), (rows(), "mood")])
def test_nothing_to_fit_and_unknown_kinds_are_refused(given_rows: list[Row], kind: str) -> None:
    with pytest.raises(PriorError):
        fit_prior(given_rows, kind)
