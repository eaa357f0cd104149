"""SIMULATED people who show feelings in their own way, and name them as real people do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.domain.affect import EMOTIONS
from tracker.lab.emotion_challenge.faces import Floats, Indices

REMAPPED = 0.7
"""Share of what is idiosyncratic that is a remapping; the rest is a bias towards a few emotions."""

N = len(EMOTIONS)


@dataclass(frozen=True)
class Stream:
    """The corrected moments of P people, T each, in time order.

    Attributes
    ----------
    face, felt, said
        (P, T) index of the face that was seen, of the emotion that was felt, and of the one that was said.
    hour
        (P, T) local hour.
    """

    face: Indices
    felt: Indices
    said: Indices
    hour: Floats


def meanings(people: int, strength: float, random: np.random.Generator, *, uneven: bool = False) -> Floats:
    """Draw what each emotion that a face shows means in each of P people: (P, 8, 8), rows sum to 1.

    With probability ``1 - strength`` they feel what they show. Else, in 7 of 10 cases, another emotion that
    is their own for what they show (a permutation that leaves none in place); in 3 of 10, whatever they
    are biased to feel (Dirichlet, 0.5 each: a few emotions dominate).

    Parameters
    ----------
    people
        How many.
    strength
        0: a face shows what is felt; 1: never but by chance.
    random
        Where chance comes from.
    uneven
        Whether every emotion of a person has a strength of its own, Beta-distributed around `strength`
        (``Beta(2 s, 2 - 2 s)``: mostly near 0 or 1), rather than all the same.
    """
    drawn = np.empty((people, N, N))
    for person in drawn:
        moved = random.permutation(N)
        while (moved == np.arange(N)).any():
            moved = random.permutation(N)
        bias = random.dirichlet(np.full(N, 0.5))
        own = REMAPPED * np.eye(N)[moved] + (1 - REMAPPED) * bias
        share = np.full((N, 1), strength)
        if uneven and 0 < strength < 1:
            share = random.beta(2 * strength, 2 - 2 * strength, (N, 1))
        person[:] = (1 - share) * np.eye(N) + share * own
    return drawn


def live(
    meaning: Floats,
    confusion: Floats,
    shown: Indices,
    among: Indices,
    moments: int,
    random: np.random.Generator,
) -> Stream:
    """Let people be seen, feel, and say what they feel.

    A face is drawn; what is felt follows from what it shows by the person's `meaning`; what is said
    follows from what is felt by the `confusion` that real voters show.

    Parameters
    ----------
    meaning
        (P, 8, 8), of `meanings`.
    confusion
        (8, 8), of `Faces.confusion`.
    shown
        (N,) what each face shows.
    among
        Indices of the faces to draw from.
    moments
        How many a person.
    random
        Where chance comes from.
    """
    people = len(meaning)
    face = random.choice(among, (people, moments))
    felt = _draw(meaning[np.arange(people)[:, None], shown[face]], random)
    said = _draw(confusion[felt], random)
    return Stream(face, felt, said, random.uniform(8.0, 22.0, face.shape))


def _draw(shares: Floats, random: np.random.Generator) -> Indices:
    below = shares.cumsum(axis=-1) < random.random((*shares.shape[:-1], 1))
    drawn: Indices = np.minimum(below.sum(axis=-1), N - 1)
    return drawn
