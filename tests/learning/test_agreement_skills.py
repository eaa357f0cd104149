import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.synthetic_votes import CASES, CLASSES, TURNS, Synthetic, synthetic
from tracker.learning.agreement import krippendorff_alpha
from tracker.learning.agreement_skills import Skills, Votes, dawid_skene, reliability

ORACLE = json.loads((Path(__file__).parent / "oracle.json").read_text("utf-8"))
EVERY = pytest.mark.parametrize("name", list(CASES))
CHANCE = 1 / CLASSES


def as_votes(made: Synthetic, classes: int = CLASSES) -> Votes:
    item, rater, said = np.array(made.votes).T
    return Votes(item, rater, np.eye(classes)[said], len(made.truth), made.raters)


def right(found: Skills, made: Synthetic) -> float:
    return float((found.posterior.argmax(axis=1) == np.array(made.truth)).mean())


def asked(name: str) -> tuple[Synthetic, dict[str, Any]]:
    made, told = synthetic(**CASES[name]), ORACLE["cases"][name]
    assert made.sha256 == told["sha256"], "the oracle was asked about other votes: make oracle"
    return made, told


@EVERY
def test_alpha_is_the_oracle_s(name: str) -> None:
    made, told = asked(name)
    table = np.full((made.raters, len(made.truth)), np.nan)
    for item, rater, said in made.votes:
        table[rater, item] = said
    assert krippendorff_alpha(table, draws=0).value == pytest.approx(told["alpha"], abs=1e-3)


@EVERY
def test_dawid_skene_is_the_oracle_s(name: str) -> None:
    made, told = asked(name)
    # The model as it was published: crowd-kit adds no votes that nobody cast.
    found = dawid_skene(as_votes(made), smoothing=0, most=TURNS, tolerance=-1)
    assert np.abs(found.posterior - np.array(told["posteriors"])).max() < 1e-3
    diagonals = found.confusion[:, range(CLASSES), range(CLASSES)]
    assert np.abs(diagonals - np.array(told["diagonals"])).max() < 1e-3


def test_it_beats_the_majority_where_raters_say_one_class_always() -> None:
    made = synthetic(seed=4, items=600, right=(0.8, 0.8, 0.75, 0.75, None, None))
    votes = as_votes(made)
    found = dawid_skene(votes)
    counts = np.zeros((votes.items, CLASSES))
    np.add.at(counts, votes.item, votes.said)
    majority = float((counts.argmax(axis=1) == np.array(made.truth)).mean())
    assert found.converged
    assert right(found, made) > majority + 0.05


def test_a_spammer_s_word_counts_as_chance_and_a_good_one_s_more() -> None:
    made = synthetic(seed=4, items=600, right=(0.8, 0.8, 0.75, 0.75, None, None))
    weights = reliability(dawid_skene(as_votes(made)))
    assert weights[4:] == pytest.approx(CHANCE, abs=0.02)
    assert (weights[:4] > 0.6).all()


def test_little_known_is_drawn_to_chance() -> None:
    made = synthetic(seed=6, items=400, per_item=3, right=(0.95, 0.95, 0.95))
    weights = [
        reliability(dawid_skene(as_votes(synthetic(seed=6, items=n, per_item=3, right=(0.95,) * 3)))).mean()
        for n in (2, 10, 400)
    ]
    assert CHANCE < weights[0] < weights[1] < weights[2] < 1
    assert right(dawid_skene(as_votes(made)), made) > 0.95


def test_known_answers_teach_a_rater_without_any_other() -> None:
    truth = np.arange(40) % CLASSES
    said = truth.copy()
    said[::4] = (said[::4] + 1) % CLASSES
    votes = Votes(np.arange(40), np.zeros(40, int), np.eye(CLASSES)[said], 40, 1)
    assert not votes.overlapping
    known = np.full((40, CLASSES), np.nan)
    known[:32] = np.eye(CLASSES)[truth[:32]]
    found = dawid_skene(votes, known=known)
    assert (found.posterior[:32].argmax(axis=1) == truth[:32]).all()
    diagonal = found.confusion[0, range(CLASSES), range(CLASSES)]
    assert diagonal.mean() == pytest.approx(0.75, abs=0.15)


def test_a_mixed_answer_is_part_of_each_word() -> None:
    item, rater = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    mixed = np.array([2 / 3, 1 / 3])
    said = np.array([[1, 0], mixed, [0, 1], [0, 1], [1, 0], [1, 0]], dtype=float)
    found = dawid_skene(Votes(item, rater, said, 3, 2))
    assert found.posterior.argmax(axis=1).tolist() == [0, 1, 0]
    assert found.posterior[0, 0] < found.posterior[2, 0]


@given(seed=st.integers(0, 30), data=st.data())
@settings(max_examples=25, deadline=None)
def test_order_and_names_of_raters_items_and_classes_do_not_matter(seed: int, data: st.DataObject) -> None:
    made = synthetic(seed=seed, items=20, per_item=3, right=(0.9, 0.7, 0.6, None))
    votes = as_votes(made)
    raters = np.array(data.draw(st.permutations(range(made.raters))))
    items = np.array(data.draw(st.permutations(range(20))))
    classes = np.array(data.draw(st.permutations(range(CLASSES))))
    rows = np.array(data.draw(st.permutations(range(len(made.votes)))))
    other = Votes(
        items[votes.item][rows],
        raters[votes.rater][rows],
        votes.said[:, np.argsort(classes)][rows],
        20,
        made.raters,
    )
    # So many turns as both take: rounding in another order must not decide when to stop.
    one, two = (dawid_skene(v, most=20, tolerance=-1) for v in (votes, other))
    assert two.posterior[items][:, classes] == pytest.approx(one.posterior, abs=1e-6)
    assert reliability(two)[raters] == pytest.approx(reliability(one), abs=1e-6)


@given(truth=st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=20), raters=st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_who_all_agree_are_believed(truth: list[int], raters: int) -> None:
    item, rater = np.repeat(np.arange(len(truth)), raters), np.tile(np.arange(raters), len(truth))
    found = dawid_skene(Votes(item, rater, np.eye(CLASSES)[np.array(truth)[item]], len(truth), raters))
    assert found.posterior.argmax(axis=1).tolist() == truth
    assert found.converged
    assert found.confusion.sum(axis=2) == pytest.approx(1)


def test_no_votes_are_no_trouble() -> None:
    found = dawid_skene(Votes(np.empty(0, int), np.empty(0, int), np.empty((0, CLASSES)), 0, 0))
    assert found.posterior.shape == (0, CLASSES)
    assert reliability(found).shape == (0,)


def test_a_vote_that_is_no_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match="distribution"):
        Votes(np.zeros(1, int), np.zeros(1, int), np.ones((1, CLASSES)), 1, 1)
