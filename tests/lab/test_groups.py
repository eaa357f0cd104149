"""Groups are compared with intervals and tests that hold their level."""

import numpy as np
import pytest

from tracker.lab.datasets.faces import Groups
from tracker.lab.evaluation import score
from tracker.lab.groups import by_group, permutation_p

CLASSES = ("neutral", "happiness")


def _log_p(answers: np.ndarray) -> np.ndarray:
    p = np.full((len(answers), 2), 0.2)
    p[np.arange(len(answers)), answers] = 0.8
    return np.log(p)


def test_each_group_has_its_own_figures() -> None:
    labels = np.array([0, 0, 1, 1, 0, 1])
    answers = np.array([0, 0, 1, 0, 1, 1])
    groups = {"gender": Groups(("male", "female", "unsure"), np.array([0, 0, 0, 1, 1, -1]))}
    found = by_group(_log_p(answers), labels, CLASSES, groups, resamples=50)["gender"]
    assert {name: (e.n, e.accuracy) for name, e in found.groups.items()} == {
        "male": (3, 1.0),
        "female": (2, 0.0),
    }
    assert (found.unknown, found.spread) == (1, 1.0)
    male = score(_log_p(answers[:3]), labels[:3], CLASSES, resamples=50)
    assert found.groups["male"] == male
    values = found.as_dict()
    assert values["groups"]["female"]["intervals"]["accuracy"] == (0.0, 0.0)
    assert set(values["test"]) == {"statistic", "spread", "p", "p_same_emotion", "permutations"}


def test_one_group_alone_is_compared_with_nothing() -> None:
    groups = {"race": Groups(("a", "b"), np.zeros(4, np.int64))}
    found = by_group(_log_p(np.zeros(4, np.int64)), np.array([0, 0, 1, 1]), CLASSES, groups, resamples=0)[
        "race"
    ]
    assert (found.spread, found.p, found.p_same_emotion) == (None, None, None)


def test_without_a_difference_p_is_small_as_seldom_as_it_says() -> None:
    random = np.random.default_rng(1)
    ps = [
        permutation_p(
            (random.random(80) < 0.7).astype(float), random.integers(0, 3, 80), random.integers(0, 2, 80),
            permutations=99, seed=i,
        )
        for i in range(150)
    ]  # fmt: skip
    assert np.mean(np.array(ps) <= 0.1) == pytest.approx(0.1, abs=0.07)


def test_a_group_that_only_smiles_more_is_not_read_better() -> None:
    """Smiles are right 95 %, the rest 60 %, in both groups alike; one group smiles more."""
    random = np.random.default_rng(2)
    groups = np.repeat([0, 1], 600)
    labels = (random.random(1200) < np.where(groups == 0, 0.8, 0.2)).astype(np.int64)
    right = (random.random(1200) < np.where(labels == 1, 0.95, 0.6)).astype(float)
    assert permutation_p(right, groups, permutations=300) < 0.01
    assert permutation_p(right, groups, labels, permutations=300) > 0.05


def test_a_difference_within_one_emotion_is_found() -> None:
    groups, labels = np.tile([0, 1], 300), np.repeat([0, 1], 300)
    right = np.where((labels == 1) & (groups == 1), 0.0, 1.0)
    right[::7] = 1 - right[::7]
    assert permutation_p(right, groups, labels, permutations=300) == pytest.approx(1 / 301)
