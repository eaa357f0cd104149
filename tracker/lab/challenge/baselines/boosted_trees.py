"""Boosted trees: grown on the others once, and grown on over the person's own answers anew each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from tracker.lab.challenge.baselines.pooled_logistic import probability
from tracker.lab.challenge.baselines.seeing import Seeing
from tracker.lab.challenge.diaries import Diary
from tracker.lab.challenge.methods import Forecaster, Maker, Pooled
from tracker.learning.histories import AT
from tracker.learning.prior import FloatArray, Prior
from tracker.learning.prior_fitting import matrix
from tracker.learning.situations import Answer, Situation

POOLED_TREES, POOLED_LEAVES, POOLED_LEAST = 60, 8, 20
BINS = 64
OWN_TREES, OWN_DEPTH, OWN_LEAST = 20, 2, 5
OWN_FEATURES = 0.2
"""Share of the features that each split of a person's own trees may choose from."""

RATE = 0.1
LEAF_PULL, BIAS_PULL = 3.0, 4.0
"""Precisions that keep a leaf's say, and the person's own rate, near what the trees before said."""

_EDGE = 1e-4


class BoostedTrees:
    """A booster in two stages; both fit the log-loss at the same learning rate.

    Refitting the whole on everybody's answers every day of every loop would take some twenty minutes on a small diary.
    So the others' trees (``HistGradientBoostingClassifier``, definite answers only) stand, and at the beginning of each
    day before which something new was told the trees that follow are grown anew on all that the person has told; there
    an "either" is half a yes and half a no.
    """

    name = "boosted_trees"
    references = 1

    def __init__(self, pooled: Pooled) -> None:
        self._pooled = pooled

    def fit(self, people: Sequence[Diary], warmup: int) -> Maker:
        """Grow the others' trees."""
        prior = self._pooled.prior(people, warmup)
        stage = _Others(self._pooled, people, warmup, prior)
        grown: dict[bytes, _Own] = {}

        def make() -> Forecaster:
            return _Boosted(stage, grown)

        return make


class _Others:
    """The first stage: log-odds of everybody else's trees."""

    def __init__(self, pooled: Pooled, people: Sequence[Diary], warmup: int, prior: Prior) -> None:
        self.names = prior.names
        self.means = np.array(prior.means)
        self._known: dict[bytes, float] = {}
        self._trees: Any = None
        self._constant = 0.0
        rows = [row for diary in people for row in pooled.rows(diary, warmup)]
        if not rows:
            return
        definite = [row for row in rows if row.value != 0.5]
        x = matrix([row.features for row in definite], self.names).astype(np.float32)
        truth = np.array([row.value > 0.5 for row in definite], dtype=np.bool_)
        if truth.all() or not truth.any():
            yes = sum(row.value for row in rows)
            self._constant = float(np.log((yes + 1) / (len(rows) - yes + 1)))
            return
        with config_context(assume_finite=True):
            self._trees = HistGradientBoostingClassifier(
                learning_rate=RATE,
                max_iter=POOLED_TREES,
                max_leaf_nodes=POOLED_LEAVES,
                min_samples_leaf=POOLED_LEAST,
                max_bins=BINS,
                early_stopping=False,
                random_state=0,
            ).fit(x, truth)

    def log_odds(self, row: FloatArray) -> float:
        """What the others' trees say at raw features (1, names)."""
        if self._trees is None:
            return self._constant
        key = row.tobytes()
        if key not in self._known:
            with config_context(assume_finite=True, skip_parameter_validation=True):
                p = float(self._trees.predict_proba(row)[0, 1])
            p = min(max(p, _EDGE), 1.0 - _EDGE)
            self._known[key] = float(np.log(p / (1.0 - p)))
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _Own:
    """The second stage as it was grown on one morning."""

    bias: float
    trees: tuple[tuple[Any, FloatArray], ...]

    def log_odds(self, x: FloatArray) -> float:
        """What it adds at features (1, d) without gaps, in single precision."""
        return self.bias + sum(float(says[tree.apply(x)[0]]) for tree, says in self.trees)


def grow(x: FloatArray, y: FloatArray, w: FloatArray, before: FloatArray) -> _Own:
    """Boost on from log-odds `before` over a person's answers.

    Parameters
    ----------
    x
        Features without gaps, in single precision: (n, d).
    y, w, before
        Shares of yes, weights, and what the first stage said: (n,).
    """
    said, bias = before.copy(), 0.0
    for _ in range(5):
        p = _probabilities(said)
        step = (np.sum(w * (y - p)) - BIAS_PULL * bias) / (np.sum(w * p * (1.0 - p)) + BIAS_PULL)
        bias, said = bias + step, said + step
    chance, trees = np.random.RandomState(0), []
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for _ in range(OWN_TREES):
            p = _probabilities(said)
            tree = DecisionTreeRegressor(
                max_depth=OWN_DEPTH,
                min_samples_leaf=OWN_LEAST,
                max_features=OWN_FEATURES,
                random_state=chance,
            )
            nodes = tree.fit(x, y - p, sample_weight=w, check_input=False).tree_
            leaf = nodes.apply(x)
            gain = np.bincount(leaf, w * (y - p), nodes.node_count)
            curve = np.bincount(leaf, w * p * (1.0 - p), nodes.node_count)
            says = RATE * gain / (curve + LEAF_PULL)
            said = said + says[leaf]
            trees.append((nodes, says))
    return _Own(float(bias), tuple(trees))


def _probabilities(log_odds: FloatArray) -> FloatArray:
    p: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
    return p


class _Boosted(Seeing):
    def __init__(self, others: _Others, grown: dict[bytes, _Own]) -> None:
        super().__init__()
        # Loops of one person begin alike: what was grown on the very same answers is grown once.
        self._others, self._grown = others, grown
        self._rows: list[dict[str, float]] = []
        self._told: list[tuple[float, float, float]] = []
        self._names: tuple[str, ...] = others.names
        self._own = _Own(0.0, ())
        self._day, self._news = 0, False

    def forecast(self, features: dict[str, float], situation: Situation) -> float:
        if situation.day != self._day:
            self._day = situation.day
            if self._news:
                self._grow()
        row = self._row(features)
        return probability(self._others.log_odds(row) + self._own.log_odds(self._filled(row)))

    def hear(self, features: dict[str, float], answer: Answer) -> None:
        self._rows.append(features)
        self._told.append((answer.share, answer.weight, self._others.log_odds(self._row(features))))
        self._news = True

    def _grow(self) -> None:
        if not self._others.names:
            self._names = tuple(sorted({name for row in self._rows for name in row} - {AT}))
        x = self._filled(matrix(self._rows, self._names).astype(np.float32))
        y, w, before = np.array(self._told).T
        key = x.tobytes() + y.tobytes() + w.tobytes()
        if key not in self._grown:
            self._grown[key] = grow(x, y, w, before)
        self._own, self._news = self._grown[key], False

    def _row(self, features: dict[str, float]) -> FloatArray:
        return matrix([features], self._names).astype(np.float32)

    def _filled(self, raw: FloatArray) -> FloatArray:
        means = self._others.means if self._others.names else np.zeros(raw.shape[1])
        filled: FloatArray = np.where(np.isnan(raw), means, raw).astype(np.float32)
        return filled
