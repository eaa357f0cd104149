"""The mapping file: which column of another program's file is what here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.instants import InstantError, require_zone
from tracker.learning.kinds import EMOTION, Kind, TargetError, kind_of
from tracker.study import load_as
from tracker.study.parts import Line, Part

Column = Annotated[str, Field(min_length=1, max_length=200)] | Annotated[int, Field(ge=1, le=100_000)]
"""A column by its name, or by its number from 1 on where a name stands twice."""

_Problems = Iterator[tuple[str, tuple[str | int, ...], str]]


class Who(Part):
    """Whose rows they are.

    Attributes
    ----------
    column
        Where their names stand; unless said, the command says who it is.
    prefix
        What is put before each name, so that it clashes with nobody's.
    enrol
        Whether whoever is not enrolled yet is enrolled.
    existing
        Names of people who are enrolled already and are the same.
    """

    column: Column | None = None
    prefix: Annotated[str, Field(max_length=32)] = ""
    enrol: bool = True
    existing: tuple[Line, ...] = ()


class When(Part):
    """When it was: exactly one of `local`, `instant`, `epoch`, `seconds`, `frame` and `day` says how.

    Attributes
    ----------
    local, form
        Local times without an offset: ISO 8601, or as `datetime.strptime` reads them.
    instant
        ISO 8601 with an offset.
    epoch, unit
        Since 1970 UTC, in this unit.
    seconds
        Since `starts_at`, in this unit.
    frame, frames_per_second
        Frames since `starts_at`, the first is 0.
    day, beep, first_day, beeps
        Days from 1 on since the first, and which of the day's times (``09:00``), from 1 on.
    starts_at
        When a recording began; the command can say it.
    zone, zone_column
        The IANA time zone of everybody, or where it stands.
    ambiguous
        Which of the two instants a local time means that the clocks showed twice in autumn.
    """

    local: Column | None = None
    form: Line | None = None
    instant: Column | None = None
    epoch: Column | None = None
    seconds: Column | None = None
    unit: Literal["s", "ms", "us"] = "s"
    frame: Column | None = None
    frames_per_second: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    day: Column | None = None
    beep: Column | None = None
    first_day: date | None = None
    beeps: tuple[time, ...] = ()
    starts_at: Line | None = None
    zone: str | None = None
    zone_column: Column | None = None
    ambiguous: Literal["first", "second", "refuse"] = "first"

    @property
    def recorded(self) -> bool:
        """Whether instants count from the start of a recording."""
        return self.seconds is not None or self.frame is not None


class Answers(Part):
    """A column that holds answers to a target; one of a scale, a threshold and codes says what they mean.

    Attributes
    ----------
    low, high
        The ends of the scale: of a number -1 and 1, of a yes or no 0 and 1; `low` above `high` turns it round.
    above, at_least
        Yes is a value above, or of at least, this one.
    codes
        What each value means here.
    """

    column: Column
    target: Annotated[str, Field(max_length=32)]
    low: Annotated[float, Field(allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(allow_inf_nan=False)] | None = None
    above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    at_least: Annotated[float, Field(allow_inf_nan=False)] | None = None
    codes: Mapping[str, Annotated[float, Field(ge=-1, le=1)]] | None = None


class Named(Part):
    """A column in which people named one emotion, and what its words mean."""

    column: Column
    words: Mapping[str, Emotion]


class Around(Part):
    """Columns of what surrounded somebody; where words are given, no others are taken."""

    place: Column | None = None
    activity: Column | None = None
    company: Column | None = None
    place_words: Mapping[str, str] | None = None
    activity_words: Mapping[str, str] | None = None
    company_words: Mapping[str, str] | None = None


class Face(Part):
    """What a program saw of a face: each row is one face of one moment.

    Attributes
    ----------
    success
        0 where there was no face.
    score, least_score
        How sure it was of the face, from 0 to 1; below the least nothing is taken for a face that was read.
    box
        Left, top, width and height in pixels.
    id, chosen
        Which face it is, and which one the participant's: the others are counted. Unless said, a moment with
        several faces is in doubt.
    detector
        What found it.
    """

    detector: Annotated[str, Field(min_length=1, max_length=32)]
    success: Column | None = None
    score: Column | None = None
    least_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    box: tuple[Column, Column, Column, Column] | None = None
    id: Column | None = None
    chosen: Line | None = None


class Estimated(Part):
    """What a network read from the face, by emotion; what it cannot read is left out, and 0.

    Attributes
    ----------
    network
        As it is called here, such as ``py-feat/resmasknet``; with a slash, so that it is none of ours.
    """

    network: Annotated[str, Field(min_length=3, max_length=64)]
    columns: Annotated[Mapping[Emotion, Column], Field(min_length=2)]


class Consented(Part):
    """What the document says that participants allowed; it is recorded for whoever is enrolled."""

    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = (Scope.AFFECT_SERIES,)


class MappingFile(Part):
    """A mapping file."""

    instant: When
    title: Line | None = None
    delimiter: Literal[",", ";", "tab", "|"] = ","
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan")
    participant: Who = Who()
    consent: Consented = Consented()
    answers: Annotated[tuple[Answers, ...], Field(max_length=100)] = ()
    emotion: Named | None = None
    contexts: Around | None = None
    face: Face | None = None
    estimate: Estimated | None = None

    @model_validator(mode="after")
    def _rules(self) -> Self:
        found = [*_instant(self), *_taken(self), *_answers(self), *_allowed(self)]
        if found:
            raise PydanticCustomError("rules", "{problems}", {"problems": found})
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """What answers are taken for."""
        named = (EMOTION,) if self.emotion is not None else ()
        return (*named, *(answer.target for answer in self.answers))


def load(path: Path) -> MappingFile:
    """Read a mapping file, YAML or TOML.

    Raises
    ------
    StudyError
        As a study file's: it names line and field.
    """
    return load_as(MappingFile, path)


_HOW = ("local", "instant", "epoch", "seconds", "frame", "day")


def _instant(said: MappingFile) -> _Problems:
    when, here = said.instant, "instant"
    ways = [name for name in _HOW if getattr(when, name) is not None]
    if len(ways) != 1:
        told = f"there are {' and '.join(ways)}" if ways else "there is none"
        yield "rule", (here,), f"say exactly one of {', '.join(_HOW)}; {told}"
    needs = {
        "frame": ("frames_per_second",),
        "day": ("beep", "first_day", "beeps"),
    }
    for way in ways:
        for name in needs.get(way, ()):
            if not getattr(when, name):
                yield "rule", (here, way), f"{name} is missing, without which {way} says no instant; add it"
    if (when.zone is None) == (when.zone_column is None):
        yield "rule", (here,), "say exactly one of zone (such as Europe/Berlin) and zone_column"
    if when.zone is not None:
        try:
            require_zone(when.zone)
        except InstantError as error:
            yield "rule", (here, "zone"), str(error)
    if when.form is not None and when.local is None:
        yield "rule", (here, "form"), "it says how local is written; there is no local"
    if when.form is not None and not any(year in when.form for year in ("%Y", "%y", "%G", "%c", "%x", "%D")):
        yield "rule", (here, "form"), f"{when.form!r} says no year; add %Y, or %y"
    if any(beep.tzinfo is not None for beep in when.beeps):
        yield "rule", (here, "beeps"), "these are local times; leave the offset out"


def _taken(said: MappingFile) -> _Problems:
    if not (said.answers or said.emotion or said.contexts or said.face):
        yield "rule", (), "nothing would be taken in: say [[answers]], [emotion], [contexts] or [face]"
    if said.estimate is not None and said.face is None:
        yield "rule", ("estimate",), "an estimate is read from a face; say [face] too"
    if said.estimate is not None and "/" not in said.estimate.network:
        yield (
            "rule",
            ("estimate", "network"),
            f"{said.estimate.network!r} looks like a network of this program; put its own before a slash, such as "
            "py-feat/resmasknet",
        )
    if said.face is not None and (said.face.id is None) != (said.face.chosen is None):
        yield (
            "rule",
            ("face",),
            "id and chosen go together: which face it is, and which one is the participant's",
        )
    if said.face is None and said.instant.recorded:
        yield "rule", ("instant",), "seconds and frame count from the start of a recording; say [face]"
    if said.face is not None and (said.answers or said.emotion or said.contexts):
        yield "rule", ("face",), "rows are faces or answers, not both; write a mapping for each"
    if (around := said.contexts) is not None:
        for name in ("place", "activity", "company"):
            if getattr(around, f"{name}_words") is not None and getattr(around, name) is None:
                yield "rule", ("contexts", f"{name}_words"), f"there is no column for {name}; add {name}"
        if not (around.place or around.activity or around.company):
            yield "rule", ("contexts",), "say at least one of place, activity and company"


def _answers(said: MappingFile) -> _Problems:
    seen = set()
    for n, answer in enumerate(said.answers):
        place = ("answers", n)
        try:
            kind = kind_of(answer.target)
        except TargetError as error:
            yield "rule", (*place, "target"), str(error)
            continue
        if kind is Kind.EMOTION:
            yield "rule", (*place, "target"), "an emotion is named, not graded; say [emotion] with its words"
        if answer.target in seen:
            yield "rule", (*place, "target"), f"{answer.target!r} is there twice; one column says it"
        seen.add(answer.target)
        scale = answer.low is not None or answer.high is not None
        threshold = [name for name in ("above", "at_least") if getattr(answer, name) is not None]
        if scale + len(threshold) + (answer.codes is not None) != 1:
            yield "rule", place, "say what its values mean: low and high, or above, or at_least, or codes"
        elif scale and (answer.low is None or answer.high is None or answer.low == answer.high):
            yield "rule", place, "a scale has two ends, low and high, that differ"
        elif threshold and kind is Kind.NUMBER:
            yield "rule", (*place, threshold[0]), f"{answer.target} is a number; a threshold says yes or no"
        elif answer.codes is not None and kind is Kind.YES_NO and min(answer.codes.values(), default=0) < 0:
            yield "rule", (*place, "codes"), "yes is 1, no is 0, either is 0.5; nothing lies below"


def _allowed(said: MappingFile) -> _Problems:
    allowed = set(said.consent.scopes)
    if Scope.AFFECT_SERIES not in allowed:
        yield "rule", ("consent", "scopes"), "without affect_series nothing can be stored; add it"
    if said.contexts is not None and Scope.CONTEXT not in allowed:
        yield (
            "rule",
            ("consent", "scopes"),
            "contexts are kept under context; add it, or leave [contexts] out",
        )
