"""What somebody answers about how they are: everything that one press of one button saves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from tracker.domain.affect import Distribution
from tracker.domain.series import Context, Correction

GRID = 9
"""Cells of the affect grid on either side (Russell, Weiss and Mendelsohn 1989)."""

STEPS = 7
"""Steps of the scale on which a number of a study's own is said (Likert 1932)."""

STRENGTHS = ("barely", "a little", "moderately", "strongly", "very strongly")
"""How strong an emotion can be said to be, from the weakest on."""

LONGEST_MS = 60 * 60 * 1000
"""A page that was open for longer than this was not being answered all the while."""

YES, EITHER, NO = 1.0, 0.5, 0.0
"""Answers to "leave me alone"."""


class AnswerError(ValueError):
    """An answer says nothing, or what no answer can be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: any of its parts may be left out, not all of them.

    Parameters
    ----------
    key
        A random UUID, made where it was given: an answer with this key is stored once.
    at
        When it was given, which is also the moment it speaks of (UTC).
    emotion, intensity
        What it was, and how strong in (0, 1].
    valence, arousal
        Where in the affect grid, in [-1, 1].
    alone
        `YES`, `EITHER` or `NO` to being left alone.
    place, activity, company
        What surrounded them.
    note
        Their own words.
    own
        What they say to the study's own targets, by name: 1, 0.5 or 0 to a yes-or-no question, else from -1 to 1.
    response_ms
        Milliseconds from the page being shown to the answer; None where nobody measured.

    Raises
    ------
    AnswerError
        When it says nothing, or a part is none.
    """

    key: str
    at: datetime
    emotion: Distribution | None = None
    intensity: float | None = None
    valence: float | None = None
    arousal: float | None = None
    alone: float | None = None
    place: str | None = None
    activity: str | None = None
    company: str | None = None
    note: str | None = None
    response_ms: int | None = None
    own: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not is_key(self.key):
            raise AnswerError("An answer carries a random UUID as its key; load the page again.")
        if self.intensity is not None and (self.emotion is None or not 0.0 < self.intensity <= 1.0):
            raise AnswerError("How strong it was is said of an emotion, with a number above 0 and up to 1.")
        if (self.valence is None) != (self.arousal is None):
            raise AnswerError("The grid takes both: how pleasant, and how much energy.")
        if self.response_ms is not None and self.response_ms < 0:
            raise AnswerError("Nobody answers before the page is shown.")
        if not any(self.words()) and self.context() is None:
            raise AnswerError("Say at least one thing: an emotion, the grid, company, or what surrounds you.")
        if self.note is not None and not any(self.words()):
            raise AnswerError("A note stands beside an answer: say an emotion, the grid or company as well.")

    def words(self) -> Iterator[Correction]:
        """What it says to each target."""
        measured = self.response_ms if (self.response_ms or 0) <= LONGEST_MS else None
        for target, said, value in (
            ("emotion", self.emotion, None),
            ("valence", None, self.valence),
            ("arousal", None, self.arousal),
            ("leave_me_alone", None, self.alone),
            *((target, None, value) for target, value in self.own.items()),
        ):
            if said is not None or value is not None:
                strength = self.intensity if said is not None else None
                yield Correction(
                    self.at, target, said, value, intensity=strength, response_ms=measured, key=self.key
                )

    def context(self) -> Context | None:
        """What it says of the surroundings, or None."""
        place, activity, company = (
            (word or "").strip() or None for word in (self.place, self.activity, self.company)
        )
        if place is activity is company is None:
            return None
        return Context(self.at, place, activity, company, self.key)


def is_key(text: object) -> bool:
    """Whether a text is a UUID as browsers write them.

    Examples
    --------
    >>> is_key("8b4b1a52-8a3c-4bb5-9d3b-5c1f3b1f6d0e"), is_key("8B4B1A52-8A3C-4BB5-9D3B-5C1F3B1F6D0E"), is_key(7)
    (True, False, False)
    """
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text
    except ValueError:
        return False


def of_cell(cell: int) -> float:
    """The value of a cell of the grid, counted from -4 to 4 on its axis.

    Examples
    --------
    >>> [of_cell(cell) for cell in (-4, 0, 3)]
    [-1.0, 0.0, 0.75]

    Raises
    ------
    AnswerError
        When there is no such cell.
    """
    half = GRID // 2
    if not -half <= cell <= half:
        raise AnswerError(f"The grid goes from {-half} to {half}, not to {cell}.")
    return cell / half


def of_step(step: int) -> float:
    """The value of a step of a scale, counted from 1 to `STEPS`.

    Examples
    --------
    >>> of_step(1), of_step(4), of_step(7)
    (-1.0, 0.0, 1.0)

    Raises
    ------
    AnswerError
        When there is no such step.
    """
    if not 1 <= step <= STEPS:
        raise AnswerError(f"The scale goes from 1 to {STEPS}, not to {step}.")
    return (2 * step - STEPS - 1) / (STEPS - 1)


def of_strength(step: int) -> float:
    """How strong a step of `STRENGTHS` is, counted from 1.

    Examples
    --------
    >>> of_strength(1), of_strength(5)
    (0.2, 1.0)

    Raises
    ------
    AnswerError
        When there is no such step.
    """
    if not 1 <= step <= len(STRENGTHS):
        raise AnswerError(f"How strong is said from 1 to {len(STRENGTHS)}, not {step}.")
    return step / len(STRENGTHS)
