"""A wrong label order is refused, the right one is not, and too little to tell is said."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.real import needs_faces, real_faces
from tracker import shipped
from tracker.domain.affect import EMOTIONS
from tracker.fer.engine import Engine, Logits
from tracker.fer.manifest import NetworkSpec
from tracker.fer.zoo import Zoo
from tracker.lab.datasets import DatasetError, LabelledFaces
from tracker.lab.datasets.opening import of_ferplus
from tracker.lab.evaluation import read_logits
from tracker.lab.order import check_order

EIGHT = tuple(e.value for e in EMOTIONS)


def made(n: int, strength: float, seed: int = 0, classes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Logits in which each class raises its own output, beside what it raises by mistake and a bias."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    similar = random.uniform(0, 0.5, (classes, classes))
    np.fill_diagonal(similar, 1.0)
    z = strength * similar[labels] + random.normal(size=(n, classes)) + random.normal(0, 4, classes)
    return z.astype(np.float32), labels


@given(order=st.permutations(range(8)), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_every_order_is_found_and_refused_unless_it_is_right(order: list[int], seed: int) -> None:
    z, labels = made(400, 4.0, seed)
    found = check_order(z[:, order], labels, EIGHT)
    assert found.best == tuple(EIGHT[c] for c in order)
    assert found.verdict == ("right" if order == sorted(order) else "wrong")
    wrong = {name for rival in found.rivals for name in rival.stated}
    assert wrong == {EIGHT[place] for place, c in enumerate(order) if place != c}


@given(n=st.integers(2, 12), seed=st.integers(0, 200))
@settings(max_examples=60, deadline=None)
def test_a_tiny_probe_refuses_nothing_that_it_cannot_know(n: int, seed: int) -> None:
    z, labels = made(n, 1.0, seed)
    found = check_order(z, labels, EIGHT)
    assert found.verdict == "cannot tell"
    assert found.undecided
    assert set(found.probed) | set(found.unprobed) == set(EIGHT)


def test_a_right_order_is_refused_as_seldom_as_promised() -> None:
    """Five classes that nobody can tell apart: by chance another order is nearly always ahead, but not for certain."""
    ahead = refused = confirmed = 0
    for seed in range(200):
        z = np.random.default_rng(seed).normal(size=(100, 5)).astype(np.float32)
        found = check_order(z, np.arange(100) % 5, EIGHT[:5])
        ahead += found.best != found.stated
        refused += found.verdict == "wrong"
        confirmed += found.verdict == "right"
    assert ahead > 180
    assert refused <= 10
    assert confirmed == 0


def test_a_networks_bias_for_one_output_changes_nothing() -> None:
    z, labels = made(200, 3.0)
    rows = (labels != 7) | (np.arange(200) < 60)  # few faces of the class that the network likes to say
    z, labels = z[rows], labels[rows]
    tilted = z + np.array([-9.0, 0, 0, 0, 0, 0, 0, 9.0], np.float32)
    plain, biased = check_order(z, labels, EIGHT), check_order(tilted, labels, EIGHT)
    assert biased.accuracy["stated"] < 0.2  # it says little else
    assert biased.verdict == plain.verdict == "right"
    assert biased.closest.gain == pytest.approx(plain.closest.gain, abs=1e-3)


def test_many_pictures_of_two_people_are_two_observations() -> None:
    z, labels = made(200, 3.0)
    swapped = z[:, [1, 0, 2, 3, 4, 5, 6, 7]]
    assert check_order(swapped, labels, EIGHT).verdict == "wrong"
    person = (np.arange(200) // 8) % 2
    found = check_order(
        swapped + 3 * np.random.default_rng(0).normal(size=(2, 8))[person],
        labels,
        EIGHT,
        drawn=person,
        unit="people",
    )
    assert found.verdict == "cannot tell"
    assert found.drawn == "people"


def test_classes_without_faces_keep_their_names_and_are_named() -> None:
    z, labels = made(300, 4.0)
    rows = labels < 5
    found = check_order(z[rows][:, [0, 1, 2, 3, 4, 6, 5, 7]], labels[rows], EIGHT)
    assert found.unprobed == EIGHT[5:]
    assert found.best == EIGHT
    assert found.verdict == "right"
    with pytest.raises(DatasetError, match="two classes or more"):
        check_order(z[labels == 3], labels[labels == 3], EIGHT)


def test_accuracy_under_both_orders() -> None:
    z, labels = made(400, 6.0)
    found = check_order(z[:, [1, 0, 2, 3, 4, 5, 6, 7]], labels, EIGHT)
    assert found.accuracy["best"] == check_order(z, labels, EIGHT).accuracy["stated"]
    assert found.accuracy["stated"] < found.accuracy["best"]
    assert found.as_dict()["rivals"][0]["beats_the_stated"] is True
    assert "neutral / happiness is happiness / neutral" in found.sentence()


@pytest.fixture(scope="module")
def public() -> LabelledFaces:
    return real_faces()


@pytest.fixture(scope="module")
def shipped_logits(public: LabelledFaces) -> tuple[NetworkSpec, Logits]:
    engine = Engine(Zoo(shipped.models(), Path("nowhere")).load("default"), "cpu")
    return engine.network.spec, read_logits(engine, public)


@needs_faces
@pytest.mark.parametrize("head", ["fer2013", "ferplus"])
def test_every_swap_of_two_classes_is_refused_on_real_faces(
    public: LabelledFaces, shipped_logits: tuple[NetworkSpec, Logits], head: str
) -> None:
    spec, logits = shipped_logits
    z, classes = logits[head], spec.head(head).classes
    known = of_ferplus(public, head)
    rows = known.labels >= 0
    labels = np.array([classes.index(known.classes[c]) for c in known.labels[rows]])
    z = z[rows]
    assert check_order(z, labels, classes).verdict in (
        ("right",) if head == "fer2013" else ("right", "cannot tell")
    )
    for a, b in combinations(range(len(classes)), 2):
        order = list(range(len(classes)))
        order[a], order[b] = b, a
        found = check_order(z[:, order], labels, classes)
        assert found.verdict == "wrong", (classes[a], classes[b])
        assert found.best == tuple(classes[c] for c in order)
