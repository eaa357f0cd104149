"""Classes of networks and data meet by name, whatever their orders and numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.affect import EMOTIONS
from tracker.lab.datasets import DatasetError
from tracker.lab.meeting import meet, restrict

EIGHT = tuple(e.value for e in EMOTIONS)
some = st.lists(st.sampled_from(EIGHT), min_size=2, max_size=8, unique=True).map(tuple)


@given(network=some, data=some, seed=st.integers(0, 99))
def test_every_face_keeps_its_emotion_or_is_left_out_and_counted(
    network: tuple[str, ...], data: tuple[str, ...], seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(-1, len(data), 30)
    names = ["" if label < 0 else data[label] for label in labels]
    shared = set(network) & set(data)
    if len(shared) < 2 or not shared & set(names):
        with pytest.raises(DatasetError):
            meet(network, data, labels)
        return
    found, own = meet(network, data, labels)
    assert found.classes == tuple(c for c in network if c in data)
    for name, label in zip(names, own, strict=True):
        assert (found.classes[label] if label >= 0 else "") == (name if name in shared else "")
    assert found.unlabelled + sum(found.only_data.values()) == (own < 0).sum()
    assert set(found.absent) == shared - set(names)
    assert bool(found.only_network) == any("renormalised" in s for s in found.said())


@given(network=some, keep=st.data())
def test_restricted_probabilities_sum_to_one_and_keep_their_ratios(
    network: tuple[str, ...], keep: st.DataObject
) -> None:
    classes = tuple(keep.draw(st.lists(st.sampled_from(network), min_size=2, unique=True)))
    p = np.random.default_rng(len(classes)).dirichlet(np.full(len(network), 0.3), 20)
    log_p = np.log(np.maximum(p, 1e-300))
    found = np.exp(restrict(log_p, network, classes))
    before = np.exp(log_p)[:, [network.index(c) for c in classes]]
    if set(classes) != set(network):
        assert found.sum(axis=1) == pytest.approx(1)
    assert found / found.max(axis=1, keepdims=True) == pytest.approx(
        before / before.max(axis=1, keepdims=True), rel=1e-6, abs=1e-12
    )


def test_a_probability_of_nearly_nothing_is_restricted_without_overflow() -> None:
    found = restrict(np.array([[-900.0, -901.0, 0.0]]), ("fear", "anger", "contempt"), ("fear", "anger"))
    assert np.exp(found).sum() == pytest.approx(1)
    assert found[0, 0] - found[0, 1] == pytest.approx(1)
