"""Who a SIMULATED person is: how they feel where, and how their face misleads a network.

The numbers are invented to be plausible, not fitted to anybody: they make software testable and
timelines readable, and say nothing about people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS, Emotion

Array = NDArray[np.float64]

_TYPICAL = {"neutral": 1.0, "happiness": 0.5, "surprise": -1.1, "sadness": 0.0, "anger": -0.4}
_TYPICAL |= {"disgust": -1.5, "fear": -0.6, "contempt": -1.2}

# Effects on the log-odds of feeling an emotion, before each person's own deviations.
_SITUATIONS: dict[str, dict[str, float]] = {
    "working": {"neutral": 0.6, "anger": 0.6, "fear": 0.5, "happiness": -0.5},
    "commuting": {"neutral": 0.4, "anger": 0.5, "disgust": 0.4, "happiness": -0.3},
    "eating": {"happiness": 0.6},
    "relaxing": {"happiness": 0.4, "neutral": 0.3, "fear": -0.5, "anger": -0.5},
    "sport": {"happiness": 0.8, "surprise": 0.3, "sadness": -0.6},
    "household": {"neutral": 0.5, "disgust": 0.7, "anger": 0.2},
    "socialising": {"happiness": 1.3, "surprise": 0.8, "sadness": -0.6, "contempt": 0.2},
    "sleeping": {"neutral": 3.0},
    "alone": {"sadness": 0.6, "happiness": -0.2},
    "partner": {"happiness": 0.6, "anger": 0.1},
    "friends": {"happiness": 0.8, "surprise": 0.3},
    "colleagues": {"contempt": 0.5, "surprise": 0.2},
    "weekend": {"happiness": 0.4, "anger": -0.3, "fear": -0.4},
}

_OWN_WAY = 0.5  # spread of a person's own deviation from each effect, in log-odds


def vector(effects: dict[str, float]) -> Array:
    """Lay named effects out in the order of `EMOTIONS`, zeros elsewhere."""
    return np.array([effects.get(emotion.value, 0.0) for emotion in EMOTIONS])


@dataclass(frozen=True)
class Person:
    """The traits of one simulated person.

    Parameters
    ----------
    base
        (8,) log-odds of feelings at rest.
    situations
        For each activity, company and ``weekend``, (8,) added log-odds.
    circadian, circadian_peak
        (8,) amplitude of the daily swing, and the local hour of its top.
    expression
        (8, 8), rows sum to one: how a felt emotion (row) shows to the network (column).
    wake, bed
        Usual local hours on working days.
    solitude
        Log-odds of wanting to be left alone at rest.
    home_office
        Chance that a working day is spent at home.
    """

    base: Array
    situations: dict[str, Array]
    circadian: Array
    circadian_peak: float
    expression: Array
    wake: float
    bed: float
    solitude: float
    home_office: float


def draw_person(rng: np.random.Generator, bias: float) -> Person:
    """Draw a person.

    Parameters
    ----------
    rng
        Where the chance comes from.
    bias
        0 for a face that shows what is felt, 1 for one that never does. Most of it sits where real
        networks err most: a resting face that reads as sad, angry or contemptuous.
    """
    lift = rng.normal(0.5, 0.2)
    return Person(
        base=vector(_TYPICAL) + rng.normal(0, 0.3, 8),
        situations={
            name: vector(effects) + (0 if name == "sleeping" else rng.normal(0, _OWN_WAY, 8))
            for name, effects in _SITUATIONS.items()
        },
        circadian=vector({"happiness": lift, "sadness": -0.5 * lift, "surprise": 0.2, "anger": 0.2}),
        circadian_peak=rng.normal(15.0, 1.5),
        expression=_draw_expression(rng, bias),
        wake=float(np.clip(rng.normal(7.0, 0.6), 5.5, 8.5)),
        bed=float(np.clip(rng.normal(23.2, 0.6), 21.8, 24.5)),
        solitude=rng.normal(-0.6, 0.7),
        home_office=float(rng.uniform(0.0, 0.5)),
    )


def _draw_expression(rng: np.random.Generator, bias: float) -> Array:
    misread = rng.dirichlet(np.full(8, 0.4), size=8)
    order = list(EMOTIONS)
    resting = np.zeros(8)
    culprits = (Emotion.SADNESS, Emotion.ANGER, Emotion.CONTEMPT)
    for culprit, share in zip(culprits, rng.dirichlet([1.2, 1.0, 0.3]), strict=True):
        resting[order.index(culprit)] = share
    misread[order.index(Emotion.NEUTRAL)] = resting
    strength = np.clip(bias * rng.uniform(0.6, 1.2, size=(8, 1)), 0.0, 1.0)
    mixed: Array = (1 - strength) * np.eye(8) + strength * misread
    return mixed
