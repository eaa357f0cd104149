"""What counts as yes: the rule that makes a truth of a column of answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from tracker.lab.challenge.diaries import TargetError
from tracker.learning.situations import Answer


class Rule(StrEnum):
    """How a value becomes yes or no."""

    ABOVE = "above"
    AT_LEAST = "at-least"
    ABOVE_OWN_MEDIAN = "above-own-median"
    EQUALS = "equals"


_RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A column and the rule that reads it.

    Parameters
    ----------
    column
        Column of the answers.
    rule
        How a value becomes yes.
    value
        The bound of `Rule.ABOVE` (exclusive) and `Rule.AT_LEAST` (inclusive); the days from which
        `Rule.ABOVE_OWN_MEDIAN` takes a person's median; the number or word of `Rule.EQUALS`.
    either
        Lowest and highest answer, both included, that mean "either is fine".

    Examples
    --------
    >>> TargetSpec("avoid_people", Rule.ABOVE, 50).truth(51.0)
    True
    >>> TargetSpec("place", Rule.EQUALS, "home").truth("work")
    False
    """

    column: str
    rule: Rule
    value: float | str
    either: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.rule is not Rule.EQUALS and isinstance(self.value, str):
            raise TargetError(f"--{self.rule.value} needs a number, not {self.value!r}")
        if self.rule is Rule.ABOVE_OWN_MEDIAN and (self.value != int(self.value) or self.value < 1):
            raise TargetError(f"--above-own-median takes whole days, from 1; not {self.value:g}")

    @property
    def days(self) -> int | None:
        """The days from which the own median is taken; None for another rule."""
        return int(self.value) if self.rule is Rule.ABOVE_OWN_MEDIAN else None

    @property
    def graded(self) -> bool:
        """Whether a higher value is a stronger yes, so that the value itself teaches something."""
        return self.rule is not Rule.EQUALS

    def cut(self, first_days: Sequence[float]) -> float | None:
        """Return the bound for a person whose answers of the first days these are; None where there is none.

        Examples
        --------
        >>> TargetSpec("tense", Rule.ABOVE_OWN_MEDIAN, 7).cut([10.0, 20.0, 90.0])
        20.0
        """
        if self.rule is Rule.ABOVE_OWN_MEDIAN:
            return median(first_days) if first_days else None
        return None if isinstance(self.value, str) or self.rule is Rule.EQUALS else float(self.value)

    def truth(self, value: float | str, cut: float | None = None) -> bool:
        """Say whether a value is a yes; `cut` is the person's own bound."""
        if self.rule is Rule.EQUALS:
            return value == self.value
        bound = self.value if self.rule is not Rule.ABOVE_OWN_MEDIAN else cut
        if isinstance(value, str) or isinstance(bound, str) or bound is None:
            raise TargetError(f"--{self.rule.value} compares numbers, not {value!r} with {bound!r}")
        return value >= bound if self.rule is Rule.AT_LEAST else value > bound

    def is_either(self, value: float | str) -> bool:
        """Say whether a value means "either is fine"."""
        return self.either is not None and not isinstance(value, str) and self._in_range(value)

    def _in_range(self, value: float) -> bool:
        assert self.either is not None
        return self.either[0] <= value <= self.either[1]

    def answer(self, value: float | str, cut: float | None = None) -> Answer:
        """Turn a value into what a learner is told.

        Examples
        --------
        >>> TargetSpec("avoid_people", Rule.ABOVE, 50, either=(35, 65)).answer(40.0)
        Answer(share=0.5, graded=40.0, weight=1.0)
        """
        share = 0.5 if self.is_either(value) else float(self.truth(value, cut))
        return Answer(share, value if self.graded and not isinstance(value, str) else None)


def parse_range(text: str) -> tuple[float, float]:
    """Read LOW-HIGH.

    Examples
    --------
    >>> parse_range("35-65"), parse_range("-3--1.5")
    ((35.0, 65.0), (-3.0, -1.5))
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        raise TargetError(f"{text!r} is no range; write LOW-HIGH, for example 35-65")
    low, high = float(found[1]), float(found[2])
    if low > high:
        raise TargetError(f"{text!r} runs backwards; write the lower bound first, for example 35-65")
    return low, high
