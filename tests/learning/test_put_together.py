"""SIMULATED raters with the overlap that studies ship with: what their words mean together, against the plain vote."""

import numpy as np
import pytest

from tracker.learning.agreement_skills import COIN, TURNS, Votes, dawid_skene, reliability, together

CLASSES = 8
COMMON = np.array([0.35, 0.25, 0.05, 0.12, 0.1, 0.03, 0.06, 0.04])
SEEDS = range(12)


def simulated(seed: int, items: int, right: tuple[float, ...]) -> tuple[Votes, np.ndarray]:
    """Votes with 72 % of items seen by one rater, 18 % by two and 10 % by three, and what is true."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, items, p=COMMON)
    item, rater, said = [], [], []
    for i in range(items):
        u = rng.random()
        seen_by = min(1 if u < 0.72 else 2 if u < 0.9 else 3, len(right))
        for j in rng.choice(len(right), seen_by, replace=False):
            item.append(i)
            rater.append(j)
            said.append(truth[i] if rng.random() < right[j] else rng.choice(CLASSES, p=COMMON))
    votes = Votes(np.array(item), np.array(rater), np.eye(CLASSES)[said], items, len(right))
    return votes, truth


def shares(items: int, right: tuple[float, ...]) -> tuple[float, float]:
    """How often what is put together is true, and how often the plain vote is; where it is split, by chance."""
    ours, plain = [], []
    for seed in SEEDS:
        votes, truth = simulated(seed, items, right)
        found = dawid_skene(votes, coin=COIN, most=TURNS)
        equal = np.ones(votes.raters)
        weights = reliability(found) if found.converged else equal
        ours.append(expected(together(votes, weights), truth))
        plain.append(expected(together(votes, equal), truth))
    return float(np.mean(ours)), float(np.mean(plain))


def expected(words: np.ndarray, truth: np.ndarray) -> float:
    top = np.isclose(words, words.max(axis=1, keepdims=True))
    return float((top[range(len(truth)), truth] / top.sum(axis=1)).mean())


@pytest.mark.parametrize("items", [50, 200, 600])
@pytest.mark.parametrize("right", [(0.6, 0.6), (0.6, 0.6, 0.6, 0.6)])
def test_it_is_no_worse_than_the_plain_vote_where_raters_are_alike(
    items: int, right: tuple[float, ...]
) -> None:
    ours, plain = shares(items, right)
    assert ours > plain - 0.005


@pytest.mark.parametrize("items", [50, 200, 600])
def test_it_is_better_where_they_differ(items: int) -> None:
    ours, plain = shares(items, (0.85, 0.75, 0.5, 0.15))
    assert ours > plain


def test_one_vote_means_that_vote_whatever_is_common() -> None:
    votes, _ = simulated(3, 80, (0.9, 0.3))
    weights = reliability(dawid_skene(votes, coin=COIN, most=TURNS))
    words = together(votes, weights)
    single = np.flatnonzero(np.bincount(votes.item) == 1)
    assert len(single) > 40
    for i in single:
        assert words[i] == pytest.approx(votes.said[votes.item == i][0])


def test_a_coin_is_drawn_to_what_a_rater_does_over_all_classes() -> None:
    truth = np.repeat(np.arange(CLASSES), 6)
    votes = Votes(np.arange(48), np.zeros(48, int), np.eye(CLASSES)[truth], 48, 1)
    found = dawid_skene(votes, known=np.eye(CLASSES)[truth], coin=1e6)
    diagonal = found.confusion[0, range(CLASSES), range(CLASSES)]
    assert diagonal == pytest.approx((48 + 0.6 * 20) / (48 + 20), abs=1e-3)
