"""Is a network's stated label order its own? Found on labelled faces, with certainty or not at all.

Reading a network in the wrong order is this field's commonest silent failure. Class c should raise the output that is
said to be c more than another class does. The order that does this best, summed over classes, is an assignment problem
(Kuhn 1955). Each class counts as one, however many faces it has, so a preference that a network has for some output
cancels: it is the same in every order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import stdtrit

from tracker.fer.calibration import Floats, log_softmax
from tracker.lab.datasets.errors import DatasetError
from tracker.lab.evaluation import Labels

LEVEL = 0.05
"""How often a right order may be refused at most, over all orders that are looked at."""

Verdict = Literal["right", "wrong", "cannot tell"]


class OrderError(ValueError):
    """A network's stated label order is beaten by another."""


@dataclass(frozen=True)
class Rival:
    """Another order of some outputs, and how much better it explains the faces than the stated one.

    Attributes
    ----------
    stated, instead
        What the manifest calls these outputs, and what this order calls them.
    gain
        In units of log-probability, summed over the classes; negative: the stated order is better.
    interval
        Of the gain, by Welch's t over faces (over people, or images of several faces, where known), wide enough for
        all orders of this length that were compared; None where a class has a single one.
    """

    stated: tuple[str, ...]
    instead: tuple[str, ...]
    gain: float
    interval: tuple[float, float] | None

    @property
    def wins(self) -> bool:
        """Whether it beats the stated order for certain."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def loses(self) -> bool:
        """Whether the stated order beats it for certain."""
        return self.interval is not None and self.interval[1] < 0


@dataclass(frozen=True)
class Order:
    """What was found.

    Attributes
    ----------
    verdict
        ``right``: no two probed classes would do better swapped, for certain. ``wrong``: another order does better, for
        certain. Else ``cannot tell``.
    stated, best
        What each output is called, and what it would best be called; outputs of classes without faces keep their names.
    probed
        Faces by class.
    unprobed
        Classes without a face: nothing is known about them.
    rivals
        Where the best order differs: one for each cycle of outputs.
    closest
        The swap of two classes that comes nearest to winning.
    undecided
        Swaps that these faces neither refute nor confirm.
    accuracy
        Under both orders.
    drawn
        What counts as one observation: images, or people.
    """

    verdict: Verdict
    stated: tuple[str, ...]
    best: tuple[str, ...]
    probed: dict[str, int]
    unprobed: tuple[str, ...]
    rivals: tuple[Rival, ...]
    closest: Rival
    undecided: tuple[tuple[str, str], ...]
    accuracy: dict[str, float]
    drawn: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are printed."""
        return asdict(self) | {
            "rivals": [asdict(r) | {"beats_the_stated": r.wins} for r in self.rivals],
            "level": LEVEL,
        }

    def sentence(self) -> str:
        """Say the verdict in words."""
        if self.verdict == "wrong":
            swaps = "; ".join(
                f"what is called {' / '.join(r.stated)} is {' / '.join(r.instead)}"
                for r in self.rivals
                if r.wins
            )
            return f"the stated order is wrong: {swaps}"
        if self.verdict == "right":
            return "the stated order is right: no two of the probed classes would do better swapped"
        pairs = ", ".join(f"{a} / {b}" for a, b in self.undecided)
        return f"cannot tell: too few faces, or read too badly, to settle {pairs}"


def check_order(
    logits: NDArray[np.float32],
    labels: Labels,
    classes: Sequence[str],
    *,
    drawn: NDArray[np.int64] | None = None,
    unit: str = "images",
) -> Order:
    """Find the best order of a head's outputs, and judge the stated one.

    Parameters
    ----------
    logits
        (N, C) as the network gives them.
    labels
        (N,) what the faces show, as index into `classes`.
    classes
        (C) what the manifest calls the outputs.
    drawn
        (N,) which person each face is of, or which image it is from: those of one class count as one observation.
    unit
        What `drawn` numbers.

    Raises
    ------
    DatasetError
        When faces of fewer than two classes are there.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> labels = random.integers(0, 3, 300)
    >>> logits = random.normal(size=(300, 3)) + 2 * np.eye(3)[labels]
    >>> names = ("fear", "anger", "neutral")
    >>> check_order(logits, labels, names).verdict
    'right'
    >>> swapped = check_order(logits[:, [1, 0, 2]], labels, names)
    >>> swapped.verdict, swapped.best
    ('wrong', ('anger', 'fear', 'neutral'))
    """
    probed = [c for c in range(len(classes)) if (labels == c).any()]
    if len(probed) < 2:
        raise DatasetError("the label order needs faces of two classes or more")
    log_p = log_softmax(logits)
    answers = {
        c: _observations(log_p[labels == c], None if drawn is None else drawn[labels == c]) for c in probed
    }
    means = np.stack([answers[c].mean(axis=0)[probed] for c in probed])
    rows, columns = linear_sum_assignment(-means)
    output = {probed[int(r)]: probed[int(c)] for r, c in zip(rows, columns, strict=True)}  # of each class
    rivals = tuple(_rival(answers, cycle, classes) for cycle in _cycles(output))
    swaps = {(a, b): _rival(answers, ((a, b), (b, a)), classes) for a, b in combinations(probed, 2)}
    undecided = tuple((classes[a], classes[b]) for (a, b), swap in swaps.items() if not swap.loses)
    verdict: Verdict = "cannot tell" if rivals or undecided else "right"
    best = list(classes)
    for kind, place in output.items():
        best[place] = classes[kind]
    said = log_p[:, probed].argmax(axis=1)
    shown = np.array(probed)[said]
    meant = np.array([{place: kind for kind, place in output.items()}[int(j)] for j in shown])
    return Order(
        verdict="wrong" if any(rival.wins for rival in rivals) else verdict,
        stated=tuple(classes),
        best=tuple(best),
        probed={classes[c]: int((labels == c).sum()) for c in probed},
        unprobed=tuple(name for c, name in enumerate(classes) if c not in probed),
        rivals=rivals,
        closest=max(swaps.values(), key=lambda s: s.interval[1] if s.interval else math.inf),
        undecided=undecided,
        accuracy={"stated": float((shown == labels).mean()), "best": float((meant == labels).mean())},
        drawn=unit,
    )


def _observations(log_p: Floats, drawn: NDArray[np.int64] | None) -> Floats:
    if drawn is None:
        return log_p
    people, who = np.unique(drawn, return_inverse=True)
    sums = np.zeros((len(people), log_p.shape[1]))
    np.add.at(sums, who, log_p)
    return sums / np.bincount(who)[:, None]


def _cycles(output: dict[int, int]) -> list[tuple[tuple[int, int], ...]]:
    """Split an assignment into its cycles of (class, output); those that stay in place are none."""
    found, left = [], set(output)
    while left:
        start = min(left)
        cycle, c = [], start
        while c in left:
            left.remove(c)
            cycle.append((c, output[c]))
            c = output[c]
        if len(cycle) > 1:
            found.append(tuple(cycle))
    return found


def _rival(answers: dict[int, Floats], cycle: Sequence[tuple[int, int]], classes: Sequence[str]) -> Rival:
    gain, variance, pooled, single = 0.0, 0.0, 0.0, False
    for kind, place in cycle:
        difference = answers[kind][:, place] - answers[kind][:, kind]
        n = len(difference)
        gain += float(difference.mean())
        if n < 2:
            single = True
            continue
        part = float(difference.var(ddof=1)) / n
        variance += part
        pooled += part**2 / (n - 1)
    names = {place: classes[kind] for kind, place in cycle}
    order = sorted(names)
    stated, instead = tuple(classes[p] for p in order), tuple(names[p] for p in order)
    if single:
        return Rival(stated, instead, gain, None)
    reach = 0.0
    if variance > 0:
        freedom = variance**2 / pooled  # Welch-Satterthwaite
        compared = _orders(len(answers), len(cycle))
        reach = float(stdtrit(freedom, 1 - LEVEL / 2 / compared)) * math.sqrt(variance)
    return Rival(stated, instead, gain, (gain - reach, gain + reach))


def _orders(classes: int, length: int) -> int:
    """How many cycles of so many of the classes there are.

    Examples
    --------
    >>> _orders(8, 2), _orders(4, 3)
    (28, 8)
    """
    return math.perm(classes, length) // length
