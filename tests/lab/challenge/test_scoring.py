from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from tests.lab.challenge.simulated import loops, outcomes
from tracker.domain.affect import Emotion
from tracker.lab.challenge.outcomes import ASKED, DECIDED, SILENT, Outcomes
from tracker.lab.challenge.ranking import area, concordance
from tracker.lab.challenge.scoring import Block, figures
from tracker.lab.prequential import Outcome, ece


def of(rows: list[tuple[int, int, float, bool, bool, int]], names: tuple[str, ...] = ("a", "b")) -> Outcomes:
    person, day, p, truth, either, action = zip(*rows, strict=True) if rows else ([],) * 6
    return Outcomes(
        np.array(person, dtype=np.int64),
        np.array(day, dtype=np.int64),
        np.array(p, dtype=np.float64),
        np.array(truth, dtype=np.bool_),
        np.array(either, dtype=np.bool_),
        np.array(action, dtype=np.int64),
        np.zeros(len(rows), dtype=np.bool_),
        names,
    )


def one(o: Outcomes, first: int = 1, last: int = 99) -> Block:
    return figures([o], [o], first, last)


HAND = [
    (0, 8, 0.9, True, False, DECIDED),
    (0, 8, 0.8, False, False, DECIDED),
    (0, 9, 0.4, True, False, ASKED),
    (1, 8, 0.1, False, False, DECIDED),
    (1, 8, 0.6, False, True, DECIDED),
    (1, 8, 0.3, False, False, SILENT),
    (1, 10, 0.5, True, False, ASKED),
    (1, 11, 0.2, False, False, ASKED),
]


def test_hand_counted_figures() -> None:
    block = one(of(HAND))
    decided, system, always = block.points.at_decided_95, block.points.at_system_95, block.points.always
    assert decided["coverage"] == pytest.approx(4 / 8)
    assert decided["decided_accuracy"] == pytest.approx(3 / 4)
    assert decided["decided_accuracy_definite"] == pytest.approx(2 / 3)
    assert decided.met is False
    assert system["ask_rate"] == pytest.approx(3 / 8)
    assert system["asks_per_day"] == pytest.approx(3 / 5)
    assert system["silent_rate"] == pytest.approx(1 / 8)
    assert system["system_accuracy"] == pytest.approx((3 + 3) / 8)
    assert system["asks_when_alone"] == pytest.approx(2 / 3)
    assert system["asks_when_alone_per_day"] == pytest.approx(2 / 5)
    assert always["accuracy"] == pytest.approx(6 / 8)
    assert always["accuracy_definite"] == pytest.approx(5 / 7)
    assert always["balanced_accuracy"] == pytest.approx((2 / 3 + 3 / 4) / 2)
    assert always.n["within_person_auc"] == 2
    assert always["within_person_auc"] == pytest.approx((0.5 + 1.0) / 2)
    assert block.balance == {
        "people": 2,
        "moments": 8,
        "share_true": pytest.approx(3 / 8),
        "share_either": pytest.approx(1 / 8),
        "majority_within_person": pytest.approx((2 / 3 + 4 / 5) / 2),
        "both_answers_people": 2,
    }
    assert block.people["accuracy"]["worst"] == pytest.approx(1 / 3)
    assert block.people["accuracy"]["median"] == pytest.approx((1 / 3 + 1) / 2)
    assert block.people["accuracy"]["share_at_95"] == pytest.approx(1 / 2)
    assert block.people["decided_accuracy"]["worst"] == pytest.approx(1 / 2)


def test_only_the_days_of_the_block_count() -> None:
    block = one(of(HAND), 10, 11)
    assert block.balance["moments"] == 2
    assert block.points.at_system_95["asks_per_day"] == pytest.approx(1.0)
    assert block.points.at_decided_95.n["people"] == 1


def test_a_wrong_either_is_nobodys_contradiction_and_no_question_while_alone() -> None:
    o = of(
        [(0, 1, 0.2, True, True, DECIDED), (0, 1, 0.2, True, True, ASKED), (1, 1, 0.9, True, False, DECIDED)]
    )
    block = one(o)
    assert block.points.at_decided_95["decided_accuracy"] == 1.0
    assert block.points.at_system_95["asks_when_alone"] == 0.0
    assert block.points.at_decided_95.met is True


def test_without_either_there_is_no_definite_accuracy() -> None:
    block = one(outcomes())
    assert block.points.at_decided_95["decided_accuracy_definite"] is None
    assert block.points.always["accuracy_definite"] is None


def test_deciding_nothing_keeps_no_promise() -> None:
    block = one(of([(0, 1, 0.2, True, False, ASKED), (1, 1, 0.9, True, False, ASKED)]))
    assert block.points.at_decided_95["decided_accuracy"] is None
    assert block.points.at_decided_95.met is False
    assert block.points.at_system_95.met is True


def test_one_person_has_figures_but_no_interval_over_people() -> None:
    block = one(of([row for row in HAND if row[0] == 1]))
    assert block.points.at_decided_95["coverage"] is not None
    assert block.points.at_decided_95.figures["coverage"].interval is None
    assert block.points.at_decided_95["decided_accuracy_lower"] is None
    assert block.points.at_decided_95.figures["coverage"].spread is None


@pytest.mark.parametrize("rows", [[], HAND[:1], [(0, 1, 0.5, False, True, ASKED)]])
def test_json_of_next_to_nothing_holds_null_not_nan(rows: list[Any]) -> None:
    block = one(of(rows))
    json.dumps([block.points.as_json(), block.people_json(), dict(block.balance)], allow_nan=False)


def test_a_figure_is_the_mean_over_draws_with_its_spread() -> None:
    found = loops(draws=4)
    each = [one(o, 24, 30).points.at_decided_95["coverage"] or 0 for o in found.at_decided]
    figure = figures(found.at_decided, found.at_system, 24, 30).points.at_decided_95.figures["coverage"]
    assert figure.value == pytest.approx(np.mean(each))
    assert figure.spread == pytest.approx(np.std(each, ddof=1))
    assert figure.interval
    assert figure.interval[0] < figure.value < figure.interval[1]  # type: ignore[operator]


def test_the_lower_bound_is_the_bootstraps_fifth_percentile() -> None:
    o = outcomes(people=30)
    block = one(o, 8, 30)
    o = o.between(8, 30)
    rng = np.random.default_rng(5)
    decided = np.bincount(o.person, o.action == DECIDED, minlength=30)
    right = np.bincount(o.person, (o.action == DECIDED) & ((o.probability >= 0.5) == o.truth), minlength=30)
    picks = rng.integers(0, 30, (4000, 30))
    expected = np.percentile(right[picks].sum(axis=1) / decided[picks].sum(axis=1), 5)
    assert block.points.at_decided_95["decided_accuracy_lower"] == pytest.approx(expected, abs=0.003)


@given(st.integers(0, 10_000), st.floats(0, 0.5), st.integers(2, 9))
@settings(max_examples=15, deadline=None)
def test_pooled_figures_are_those_of_scikit_learn(seed: int, either: float, levels: int) -> None:
    rng = np.random.default_rng(seed)
    o = outcomes(people=6, days=12, either=either)
    o = replace(o, probability=np.round(np.clip(o.probability + rng.normal(0, 0.2, len(o)), 0, 1), levels))
    always = one(o).points.always
    d = o.where(~o.either)
    said = d.probability >= 0.5
    assert always["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(d.truth, said))
    assert always["macro_f1"] == pytest.approx(f1_score(d.truth, said, average="macro"))
    assert always["auc"] == pytest.approx(roc_auc_score(d.truth, d.probability))
    floored = np.clip(d.probability, 1e-4, 1 - 1e-4)
    assert always["log_loss"] == pytest.approx(log_loss(d.truth, floored))
    own = [
        roc_auc_score(m.truth, m.probability)
        for k in range(6)
        if len(set((m := d.where(d.person == k)).truth)) == 2
    ]
    assert always["within_person_auc"] == pytest.approx(np.mean(own))
    assert always.n["within_person_auc"] == len(own)


def test_a_bootstrap_replicate_of_the_auc_is_that_of_the_resampled_moments() -> None:
    o = outcomes(people=5, days=6)
    times = np.array([2.0, 0.0, 1.0, 3.0, 1.0])
    pairs = concordance(o.person, o.probability, o.truth, 5)
    true, false = (np.bincount(o.person[m], minlength=5).astype(float) for m in (o.truth, ~o.truth))
    weights = times[o.person]
    expected = roc_auc_score(o.truth, o.probability, sample_weight=weights)
    assert area(pairs, true, false, times[None])[0] == pytest.approx(expected)


def test_ece_is_the_houses_where_bins_are_whole_and_nothing_ties() -> None:
    o = outcomes(people=10, days=10, per_day=4)
    hits = (o.probability >= 0.5) == o.truth
    sure = np.maximum(o.probability, 1 - o.probability)
    said = [
        Outcome(1, Emotion.ANGER, Emotion.ANGER if hit else Emotion.FEAR, float(p), 0.0)
        for hit, p in zip(hits, sure, strict=True)
    ]
    assert one(o).points.always["ece"] == pytest.approx(ece(said))


def test_a_calibrated_forecaster_shows_the_error_of_a_perfect_one_and_an_oversure_one_does_not() -> None:
    o = outcomes(people=60)
    always = one(o, 8, 30).points.always
    perfect = always.figures["ece_if_perfect"]
    assert perfect.interval
    assert perfect.interval[0] <= (always["ece"] or 0) <= perfect.interval[1]
    logit = np.log(o.probability / (1 - o.probability))
    oversure = one(replace(o, probability=1 / (1 + np.exp(-3 * logit))), 8, 30).points.always
    assert (oversure["ece"] or 0) > 3 * (oversure["ece_if_perfect"] or 1)


def moments() -> st.SearchStrategy[list[tuple[int, int, float, bool, bool, int]]]:
    row = st.tuples(
        st.integers(0, 3),
        st.integers(1, 12),
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([DECIDED, ASKED, SILENT]),
    )
    return st.lists(row, max_size=30).map(sorted)


UNBOUNDED = {"asks_per_day", "asks_when_alone_per_day", "log_loss"}


@given(moments())
@settings(max_examples=40, deadline=None)
def test_every_figure_is_a_share_and_the_three_actions_make_one(rows: list[Any]) -> None:
    block = one(of(rows, ("a", "b", "c", "d")), 2, 11)
    all_points = [p for p in (block.points, block.both_answers) if p is not None]
    for points in all_points:
        for scores in (points.at_decided_95, points.at_system_95, points.always):
            for name, figure in scores.figures.items():
                for value in (figure.value, *(figure.interval or ())):
                    assert value is None or (math.isfinite(value) and value >= 0)
                    assert value is None or name in UNBOUNDED or value <= 1 + 1e-12
    for scores in (block.points.at_decided_95, block.points.at_system_95):
        parts = [scores[name] for name in ("coverage", "ask_rate", "silent_rate")]
        assert all(p is None for p in parts) or sum(p or 0 for p in parts) == pytest.approx(1)
    json.dumps([block.points.as_json(), block.people_json(), dict(block.balance)], allow_nan=False)


@given(moments(), st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_people_changes_nothing(rows: list[Any], order: list[int]) -> None:
    names = ("a", "b", "c", "d")
    moved = sorted(((order[row[0]], *row[1:]) for row in rows), key=lambda row: row[0])
    there = of(moved, tuple(names[order.index(i)] for i in range(4)))
    a, b = one(of(rows, names)), one(there)
    assert flat(a.points.as_json()) == pytest.approx(flat(b.points.as_json()))
    assert flat(a.people_json()) == pytest.approx(flat(b.people_json()))


def flat(value: Any, path: str = "") -> dict[str, float]:
    if isinstance(value, dict):
        return {k: v for key, part in value.items() for k, v in flat(part, f"{path}/{key}").items()}
    if isinstance(value, list):
        return {k: v for i, part in enumerate(value) for k, v in flat(part, f"{path}/{i}").items()}
    return {path: math.inf if value is None else float(value)}


def test_people_with_both_answers_are_scored_apart() -> None:
    o = outcomes(people=6)
    o = replace(o, truth=np.where(o.person < 2, True, o.truth))
    block = one(o)
    assert block.both_answers_people == 4
    assert block.both_answers is not None
    alone = one(o.where(o.person >= 2))
    assert flat(block.both_answers.as_json()) == pytest.approx(flat(alone.points.as_json()))


def test_draws_of_different_people_are_refused() -> None:
    a, b = of(HAND), of(HAND, ("a", "x"))
    with pytest.raises(ValueError, match="same people"):
        figures([a, b], [a], 1, 30)
    with pytest.raises(ValueError, match="at least one draw"):
        figures([], [a], 1, 30)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"probability": np.full(8, 1.2)}, "probability must lie in 0..1"),
        ({"day": np.ones(3, dtype=np.int64)}, "one length"),
        ({"person": np.full(8, 7)}, "index must lie"),
        ({"action": np.full(8, 5)}, "action is one of"),
        ({"audit": np.ones(8, dtype=np.bool_)}, "audit is a question"),
    ],
)
def test_outcomes_that_cannot_be_scored_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(of(HAND), **change)
