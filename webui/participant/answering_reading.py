"""From the fields of a form, or of JSON, to an answer: each is checked, because anything can be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.answers import EITHER, NO, YES, Answer, AnswerError, of_cell, of_step, of_strength
from tracker.domain.clocks import put_right
from tracker.domain.instants import parse_instant
from tracker.study.questions import OwnQuestion

ALONE = {"yes": YES, "either": EITHER, "no": NO}

_LONGEST_NUMBER = 12


def read(given: Any, now: datetime, own: Sequence[OwnQuestion] = ()) -> tuple[Answer, int | None]:
    """The answer, and the question that it is to, or None.

    Parameters
    ----------
    given, now
        The fields, and the instant of now (UTC).
    own
        What the study asks beside what every study does.

    Raises
    ------
    AnswerError
        When a field is none; it says which.
    InstantError
        When the instant of a phone is none, or its clock too far off.
    NoteError
        Never: a note is checked where it is sealed.
    """
    if not isinstance(given, Mapping):
        raise AnswerError("Send an object with the fields of an answer.")
    f = _Fields(given)
    at = now
    if f.text("at"):
        at = put_right(parse_instant(f.text("at") or ""), parse_instant(f.text("clock") or ""), now)
    first, second = f.emotion("emotion"), f.emotion("second")
    if second is not None and first is None:
        raise AnswerError("Say a first emotion before the second.")
    if second is not None and second is first:
        raise AnswerError(f"The second emotion is {second} like the first; choose another or none.")
    strength = f.whole("intensity") if first is not None else None
    valence, arousal = f.cell("grid")
    answer = Answer(
        key=f.text("key") or "",
        at=at,
        emotion=None if first is None else Distribution.said(first, second),
        intensity=None if strength is None else of_strength(strength),
        valence=valence,
        arousal=arousal,
        alone=f.alone("alone"),
        place=f.text("place"),
        activity=f.text("activity"),
        company=f.text("company"),
        note=f.text("note"),
        response_ms=f.whole("response_ms"),
        own=_own(f, given, own),
    )
    return answer, f.whole("prompt")


def _own(fields: _Fields, given: Mapping[str, Any], own: Sequence[OwnQuestion]) -> dict[str, float]:
    asked = {question.name: question for question in own}
    said: dict[str, float] = {}
    for name in given:
        if ":" not in name or fields.text(name) is None:
            continue
        if name not in asked:
            raise AnswerError(f"This study does not ask for {name[:64]!r}.")
        if asked[name].number:
            said[name] = of_step(fields.whole(name) or 0)
        else:
            said[name] = fields.choice(name)
    return said


class _Fields:
    """Fields by name and kind; an empty one was not filled in."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is not None and not isinstance(value, str):
            raise AnswerError(f"{name} is a text, not {str(value)[:32]}.")
        return value or None

    def whole(self, name: str) -> int | None:
        text = self.text(name)
        return None if text is None else _whole(name, text)

    def emotion(self, name: str) -> Emotion | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return Emotion(text)
        except ValueError:
            raise AnswerError(f"{text[:32]!r} is none of the eight emotions: {', '.join(Emotion)}") from None

    def cell(self, name: str) -> tuple[float | None, float | None]:
        text = self.text(name)
        if text is None:
            return None, None
        pleasant, comma, lively = text.partition(",")
        if not comma:
            raise AnswerError(f"{text[:32]!r} is no cell of the grid; write it like -1,3.")
        return of_cell(_whole(name, pleasant)), of_cell(_whole(name, lively))

    def alone(self, name: str) -> float | None:
        return None if self.text(name) is None else self.choice(name)

    def choice(self, name: str) -> float:
        text = self.text(name) or ""
        if text not in ALONE:
            raise AnswerError(f"{text[:32]!r} is none of yes, either and no.")
        return ALONE[text]


def _whole(name: str, text: str) -> int:
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise AnswerError(f"{name} is {text[:32]!r}, which is no whole number.")
    if len(digits) > _LONGEST_NUMBER:
        raise AnswerError(f"{name} is too large.")
    return int(text)
