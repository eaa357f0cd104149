"""The vocabulary of affect: the eight emotions, their order, and valence and arousal.

One order is used everywhere (classes of a head, keys 1-8 of a rater, columns of an export), because
reading a distribution in the wrong order is this field's commonest silent failure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Emotion(StrEnum):
    """One of eight emotions, in the order of the FER+ votes (Barsoum et al. 2016).

    Examples
    --------
    >>> [e.value for e in Emotion][:3]
    ['neutral', 'happiness', 'surprise']
    >>> Emotion("anger").key
    5
    """

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SURPRISE = "surprise"
    SADNESS = "sadness"
    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    CONTEMPT = "contempt"

    @property
    def key(self) -> int:
        """The digit, 1 to 8, that chooses this emotion on a keyboard."""
        return list(Emotion).index(self) + 1


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)

# Circumplex positions (valence, arousal) of the categories, rounded from the category means that
# Russell (1980, J. Pers. Soc. Psychol. 39:1161) and Russell & Mehrabian (1977) report. They make a
# coarse summary of a distribution, so whatever is computed from them is called "derived".
_CIRCUMPLEX: dict[Emotion, tuple[float, float]] = {
    Emotion.NEUTRAL: (0.0, 0.0),
    Emotion.HAPPINESS: (0.8, 0.5),
    Emotion.SURPRISE: (0.2, 0.8),
    Emotion.SADNESS: (-0.7, -0.3),
    Emotion.ANGER: (-0.5, 0.7),
    Emotion.DISGUST: (-0.6, 0.4),
    Emotion.FEAR: (-0.6, 0.7),
    Emotion.CONTEMPT: (-0.5, 0.2),
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """A probability for each emotion, in the one order, summing to one.

    Parameters
    ----------
    probabilities
        Eight numbers in [0, 1], in the order of `EMOTIONS`.

    Raises
    ------
    ValueError
        When there are not eight finite non-negative numbers, or they do not sum to one within 1e-6.

    Examples
    --------
    >>> d = Distribution.of({Emotion.HAPPINESS: 3.0, Emotion.SURPRISE: 1.0})
    >>> d[Emotion.HAPPINESS], d.top.value
    (0.75, 'happiness')
    """

    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(EMOTIONS):
            raise ValueError(
                f"a distribution has {len(EMOTIONS)} probabilities, not {len(self.probabilities)}"
            )
        # Pages make thousands of these: one comparison that NaN and infinity fail too, words only on failure.
        if min(self.probabilities) >= 0 and abs(sum(self.probabilities) - 1.0) <= 1e-6:
            return
        if any(not math.isfinite(p) or p < 0 for p in self.probabilities):
            raise ValueError(f"probabilities must be finite and >= 0: {self.probabilities}")
        raise ValueError(f"probabilities sum to {sum(self.probabilities):.6f}, not to 1")

    @classmethod
    def of(cls, weights: Mapping[Emotion, float]) -> Distribution:
        """Make a distribution from weights of any positive sum; what is not named weighs nothing."""
        total = sum(weights.values())
        if not math.isfinite(total) or total <= 0:
            raise ValueError(f"weights must have a positive sum, not {total}")
        return cls(tuple(weights.get(e, 0.0) / total for e in EMOTIONS))

    @classmethod
    def said(cls, first: Emotion, second: Emotion | None = None) -> Distribution:
        """What one key says, or two for a mixed state: the first then weighs twice the second.

        Examples
        --------
        >>> round(Distribution.said(Emotion.FEAR, Emotion.SURPRISE)[Emotion.FEAR], 3)
        0.667
        """
        return cls.of({first: 1.0} if second in (None, first) else {first: 2.0, second: 1.0})

    @classmethod
    def from_sequence(cls, values: Sequence[float]) -> Distribution:
        """Normalise a sequence in the order of `EMOTIONS` (removes float32 rounding)."""
        numbers = [float(v) for v in values]
        total = sum(numbers)
        if not math.isfinite(total) or total <= 0:
            raise ValueError(f"weights must have a positive sum, not {total}")
        return cls(tuple(v / total for v in numbers))

    def __getitem__(self, emotion: Emotion) -> float:
        return self.probabilities[EMOTIONS.index(emotion)]

    @property
    def top(self) -> Emotion:
        """The likeliest emotion; the first in order when several are."""
        return EMOTIONS[max(range(len(EMOTIONS)), key=lambda i: self.probabilities[i])]

    @property
    def entropy(self) -> float:
        """Shannon entropy in nats: 0 when certain, ln 8 = 2.08 when nothing is known."""
        return -sum(p * math.log(p) for p in self.probabilities if p > 0)

    def read_dict(self) -> dict[str, float | None]:
        """What a network read, as `as_dict`: None for what it does not read, to which it gives exactly 0.

        Of what it does read, however unlikely, no probability is 0 (`tracker.fer.calibration`).

        Examples
        --------
        >>> Distribution.of({Emotion.FEAR: 1.0}).read_dict()["contempt"] is None
        True
        """
        return {emotion: p or None for emotion, p in self.as_dict().items()}

    def as_dict(self) -> dict[str, float]:
        """``{"neutral": 0.1, ...}`` in the one order."""
        return {e.value: p for e, p in zip(EMOTIONS, self.probabilities, strict=True)}


def derived_valence_arousal(distribution: Distribution) -> tuple[float, float]:
    """Summarise a distribution as valence and arousal in [-1, 1], *derived*, never measured.

    The expectation of fixed circumplex positions (Russell 1980) under the distribution: enough to
    draw one line through a day, too coarse to test a hypothesis about arousal.

    Examples
    --------
    >>> derived_valence_arousal(Distribution.of({Emotion.SADNESS: 1}))
    (-0.7, -0.3)
    """
    valence = sum(p * _CIRCUMPLEX[e][0] for e, p in zip(EMOTIONS, distribution.probabilities, strict=True))
    arousal = sum(p * _CIRCUMPLEX[e][1] for e, p in zip(EMOTIONS, distribution.probabilities, strict=True))
    return valence, arousal
