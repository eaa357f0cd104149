"""What several raters' words mean together: Dawid and Skene's model, with a confusion matrix for each rater.

Each item has one true class; each rater has a matrix of how often they say what when which is true. Expectation and
maximisation take turns (Dawid & Skene 1979, J. R. Stat. Soc. C 28:20) until neither changes. It needs items that
several raters have seen, or whose answer is known: without either there is nothing to learn a rater from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

NOTHING_KNOWN = 10.0
"""Votes that stand for knowing nothing of a rater: with as many of their own, half of what they show counts."""

COIN = 10.0
"""The `coin` of `dawid_skene` where most items have one vote, as with the overlap that studies ship with."""

TURNS = 500
"""Turns that the fit takes at most: with little overlap it is slow to come to rest."""

_USUAL, _BEFORE = 0.6, 20.0
"""How often raters of faces are right before anything is known of them, and how many votes stand for that."""

_LEAST = 1e-10
"""Votes, or a share, that stand for none."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes as arrays, one row for each.

    Attributes
    ----------
    item, rater
        ``(votes,)``: numbers from 0 on.
    said
        ``(votes, classes)``: a distribution each, so that a mixed answer is one vote.
    items, raters
        How many there are.
    """

    item: Whole
    rater: Whole
    said: Floats
    items: int
    raters: int

    def __post_init__(self) -> None:
        if not len(self.item) == len(self.rater) == len(self.said):
            raise ValueError("each vote has an item, a rater and a distribution")
        if len(self.said) and not np.allclose(self.said.sum(axis=1), 1):
            raise ValueError("each vote is a distribution over the classes")

    @property
    def overlapping(self) -> bool:
        """Whether any item has votes of two raters."""
        pairs = np.unique(np.stack([self.item, self.rater], axis=1), axis=0)
        return bool(len(pairs)) and bool(np.bincount(pairs[:, 0]).max() >= 2)


@dataclass(frozen=True, slots=True)
class Skills:
    """What was found.

    Attributes
    ----------
    posterior
        ``(items, classes)``: how likely each class is for each item.
    confusion
        ``(raters, classes, classes)``: how often a rater says the second when the first is true; rows sum to 1.
    prior
        ``(classes,)``: how common each class is.
    counts
        ``(raters,)``: how many votes each is known by.
    converged, iterations
        Whether it came to rest, and after how many turns.
    """

    posterior: Floats
    confusion: Floats
    prior: Floats
    counts: Whole
    converged: bool
    iterations: int


def dawid_skene(
    votes: Votes,
    *,
    known: Floats | None = None,
    smoothing: float = 0.1,
    coin: float = 0.0,
    most: int = 200,
    tolerance: float = 1e-6,
) -> Skills:
    """Find what is true of the items and how raters err, together.

    Parameters
    ----------
    votes
        What was said.
    known
        ``(items, classes)``: the answer to items whose answer is known, NaN for the others; None where none is.
    smoothing
        Votes added to each cell of each confusion matrix, so that what was never seen is unlikely and not impossible.
        0 is the model as it was published.
    coin
        Votes added to each row of a rater's matrix as if they erred alike whatever is true, right as often as they are
        over all classes (and 0.6 of the time before anything is known): raise it where raters have few votes, or meet
        on few items. 0 is the model as it was published, which then does worse than the plain vote (decision 26).
    most, tolerance
        It ends after so many turns, or once no posterior changes by more than this.

    Examples
    --------
    >>> eye = np.eye(2)
    >>> item, rater = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    >>> said = eye[[0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0]]  # the third rater says 0, whatever there is
    >>> found = dawid_skene(Votes(item, rater, said, 4, 3))
    >>> found.posterior.argmax(axis=1).tolist(), found.converged
    ([0, 1, 0, 1], True)
    >>> reliability(found).round(2).tolist()
    [0.63, 0.63, 0.5]
    """
    classes = votes.said.shape[1]
    if votes.items == 0:
        nobody = np.full((votes.raters, classes, classes), 1 / classes)
        nothing = np.zeros((0, classes))
        return Skills(
            nothing, nobody, np.full(classes, 1 / classes), np.zeros(votes.raters, np.int64), True, 0
        )
    counts = np.bincount(votes.rater, minlength=votes.raters).astype(np.int64)
    posterior = _clamped(_majority(votes), known)
    confusion, prior, previous = (
        _maximised(votes, posterior, smoothing, coin),
        posterior.mean(axis=0),
        posterior,
    )
    turn = 0
    for turn in range(1, most + 1):
        posterior = _clamped(_expected(votes, confusion, prior), known)
        confusion, prior = _maximised(votes, posterior, smoothing, coin), posterior.mean(axis=0)
        change = float(np.abs(posterior - previous).max(initial=0.0))
        previous = posterior
        if change <= tolerance:
            return Skills(posterior, confusion, prior, counts, True, turn)
    return Skills(posterior, confusion, prior, counts, False, turn)


def reliability(skills: Skills) -> Floats:
    """How much the words of each rater count: from chance, 1 / classes, to 1.

    The mean of a confusion matrix' diagonal, so that saying the commonest class gains nothing; drawn to chance by how
    little is known; and never below it.
    """
    classes = skills.confusion.shape[1]
    right = skills.confusion[:, range(classes), range(classes)].mean(axis=1)
    counts = skills.counts.astype(np.float64)
    shrunk = (counts * right + NOTHING_KNOWN / classes) / (counts + NOTHING_KNOWN)
    weights: Floats = np.maximum(shrunk, 1 / classes)
    return weights


def together(votes: Votes, weights: Floats) -> Floats:
    """What raters say on average of each item, each counted by their weight; `(items, classes)`.

    An item with one vote means that vote, however little is known of who cast it: classes that are more common, or
    a rater's habits, never overrule what somebody saw.

    Examples
    --------
    >>> said = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> votes = Votes(np.array([0, 0, 1]), np.array([0, 1, 1]), said, 2, 2)
    >>> together(votes, np.array([0.6, 0.2])).round(2).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    return _average(votes, weights[votes.rater])


def _majority(votes: Votes) -> Floats:
    """What raters say on average of each item; of an item without votes, what they say of all."""
    return _average(votes, np.ones(len(votes.said)))


def _average(votes: Votes, weights: Floats) -> Floats:
    said = votes.said * weights[:, None]
    sums = np.zeros((votes.items, votes.said.shape[1]))
    np.add.at(sums, votes.item, said)
    totals = sums.sum(axis=1, keepdims=True)
    overall = said.sum(axis=0) + 1e-12
    found: Floats = np.where(totals > 0, sums / np.maximum(totals, 1e-12), overall / overall.sum())
    return found


def _maximised(votes: Votes, posterior: Floats, smoothing: float, coin: float) -> Floats:
    classes = votes.said.shape[1]
    counts = np.zeros((votes.raters, classes, classes), dtype=np.float64)
    np.add.at(counts, votes.rater, posterior[votes.item][:, :, None] * votes.said[:, None, :])
    if coin:
        right = counts[:, range(classes), range(classes)].sum(axis=1) + _BEFORE * _USUAL
        right = right / (counts.sum(axis=(1, 2)) + _BEFORE)
        wrong = (1 - right) / (classes - 1)
        counts += coin * (wrong[:, None, None] + (right - wrong)[:, None, None] * np.eye(classes))
    # What nobody said stays possible, so that one such word does not end all others; of a class that never was,
    # any word is as likely as any other.
    counts = np.maximum(counts + smoothing, _LEAST)
    found: Floats = counts / counts.sum(axis=2, keepdims=True)
    return found


def _expected(votes: Votes, confusion: Floats, prior: Floats) -> Floats:
    words = np.einsum("vs,vts->vt", votes.said, np.log(confusion[votes.rater]))
    logs = np.broadcast_to(np.log(np.maximum(prior, _LEAST)), (votes.items, len(prior))).copy()
    np.add.at(logs, votes.item, words)
    logs -= logs.max(axis=1, keepdims=True)
    likely = np.exp(logs)
    found: Floats = likely / likely.sum(axis=1, keepdims=True)
    return found


def _clamped(posterior: Floats, known: Floats | None) -> Floats:
    if known is None:
        return posterior
    found: Floats = np.where(np.isnan(known).any(axis=1, keepdims=True), posterior, known)
    return found
