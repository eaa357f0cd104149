"""The named figures of a loop, each from its counts: see `docs/leave-me-alone.md` for what each means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracker.lab.challenge.intervals import (
    Figure,
    Resample,
    contributors,
    divide,
    lower_bound,
    over_draws,
    ratio,
    summarise,
)
from tracker.lab.challenge.outcomes import ASKED, DECIDED, FloatArray, Outcomes
from tracker.lab.challenge.ranking import area, concordance, own_areas
from tracker.lab.challenge.sureness import error, errors_if_perfect
from tracker.lab.challenge.tallies import Tally, answers, right

FLOOR = 1e-4
"""A probability counts as no surer than this in the logarithmic loss: who says 0 or 1 is not lost for ever."""

Figures = dict[str, Figure]


def at_decided(tally: Tally, drawn: Resample, *, definite: bool) -> Figures:
    """Figures of the loop whose own decisions shall be right 95 % of the time.

    Parameters
    ----------
    definite
        Whether answers can be "either": only then the definite ones have an accuracy of their own.
    """
    accuracy = ratio(tally.decided_right, tally.decided, drawn.weights)
    who = contributors(tally.decided)
    return {
        "coverage": _share(tally.decided, tally.scored, drawn),
        "decided_accuracy": summarise(accuracy, who),
        "decided_accuracy_lower": lower_bound(accuracy, who),
        "decided_accuracy_definite": _share(
            tally.count(lambda d: (d.action == DECIDED) & ~d.either & right(d)),
            tally.count(lambda d: (d.action == DECIDED) & ~d.either),
            drawn,
        )
        if definite
        else Figure(None),
    } | _asking(tally, drawn)


def at_system(tally: Tally, drawn: Resample) -> Figures:
    """Figures of the loop of whose moments 95 % shall end right, asked ones always do, silent ones never."""
    alone = tally.count(lambda d: (d.action == ASKED) & answers(d)[0])
    accuracy = ratio(tally.asked + tally.decided_right, tally.scored, drawn.weights)
    return _asking(tally, drawn) | {
        "system_accuracy": summarise(accuracy, tally.people),
        "system_accuracy_lower": lower_bound(accuracy, tally.people),
        "asks_when_alone": _share(alone, tally.asked, drawn),
        "asks_when_alone_per_day": _share(alone, tally.days, drawn),
        "coverage": _share(tally.decided, tally.scored, drawn),
        "decided_accuracy": _share(tally.decided_right, tally.decided, drawn),
    }


def always(tally: Tally, drawn: Resample, *, definite: bool) -> tuple[Figures, dict[str, float]]:
    """Figures as if it had always decided, and the numbers they rest on.

    An answer of "either" is right in ``accuracy``; all other figures are of definite answers.
    """
    said = [d.where(~d.either) for d in tally.draws]
    true, false = tally.count(lambda d: answers(d)[0]), tally.count(lambda d: answers(d)[1])
    found = {
        "accuracy": _share(tally.count(right), tally.scored, drawn),
        "accuracy_definite": _share(tally.count(lambda d: right(d) & ~d.either), true + false, drawn)
        if definite
        else Figure(None),
    }
    found |= _by_answer(tally, true, false, drawn)
    pairs = [concordance(d.person, d.probability, d.truth, tally.people) for d in said]
    areas = np.stack([area(a, t, f, drawn.weights) for a, t, f in zip(pairs, true, false, strict=True)])
    own = np.stack([own_areas(a, t, f) for a, t, f in zip(pairs, true, false, strict=True)])
    varied = (~np.isnan(own)).astype(np.float64)
    errors = np.stack([error(d.person, d.probability, d.truth, drawn.weights) for d in said])
    found |= {
        "auc": summarise(areas, tally.people),
        "within_person_auc": _share(np.nan_to_num(own), varied, drawn),
        "ece": summarise(errors, tally.people),
        "ece_if_perfect": _if_perfect(said),
        "log_loss": _share(tally.count(_loss), true + false, drawn),
    }
    n = {"definite": float((true + false).sum(axis=1).mean()), "within_person_auc": contributors(varied)}
    return found, n


def _asking(tally: Tally, drawn: Resample) -> Figures:
    return {
        "ask_rate": _share(tally.asked, tally.scored, drawn),
        "asks_per_day": _share(tally.asked, tally.days, drawn),
        "silent_rate": _share(tally.silent, tally.scored, drawn),
    }


def _share(above: FloatArray, below: FloatArray, drawn: Resample) -> Figure:
    return summarise(ratio(above, below, drawn.weights), contributors(below))


def _by_answer(tally: Tally, true: FloatArray, false: FloatArray, drawn: Resample) -> Figures:
    """Balanced accuracy, and macro-F1, which is undefined where an answer was neither given nor said."""
    weights = drawn.weights.T
    hit = tally.count(lambda d: answers(d)[0] & right(d)) @ weights
    held = tally.count(lambda d: answers(d)[1] & right(d)) @ weights
    t, f = true @ weights, false @ weights
    balanced = (divide(hit, t) + divide(held, f)) / 2
    yes = divide(2 * hit, hit + t + (f - held))
    no = divide(2 * held, held + f + (t - hit))
    return {
        "balanced_accuracy": summarise(balanced, tally.people),
        "macro_f1": summarise((yes + no) / 2, tally.people),
    }


def _loss(draw: Outcomes) -> FloatArray:
    p = np.clip(draw.probability, FLOOR, 1 - FLOOR)
    return np.where(draw.either, 0.0, -np.log(np.where(draw.truth, p, 1 - p)))


def _if_perfect(said: list[Outcomes]) -> Figure:
    """Mean error of redrawn truths; the interval holds 95 % of one draw's redraws, not of people."""
    errors = np.stack([errors_if_perfect(d.probability, seed) for seed, d in enumerate(said)])
    found = summarise(errors.mean(axis=1, keepdims=True), 0)
    if found.value is None:
        return found
    low, high = over_draws(np.percentile(errors, [2.5, 97.5], axis=1).T)
    return replace(found, interval=(float(low), float(high)))
