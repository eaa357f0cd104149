"""The tables of a study file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tracker.domain.consent import Scope

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
"""One line of text that says something."""

Prose = Annotated[str, StringConstraints(min_length=20, max_length=5000)]
"""Sentences for participants."""

Days = Annotated[int, Field(ge=1, le=36_500)]
"""Whole days, at most a hundred years."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
"""A BCP 47 tag of a language and maybe a region."""


class Part(BaseModel):
    """A table whose every key is known and whose values have exactly the type that is asked for."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Controller(Part):
    """Who answers for the study (GDPR Art. 4(7)).

    Attributes
    ----------
    name, contact
        The body or person, and how to reach them.
    address
        By post; a consent record after ISO/IEC TS 27560 has a place for it.
    """

    name: Line
    contact: Line
    address: str = ""


class Purpose(Part):
    """What data are used for: a sentence for people, and the Data Privacy Vocabulary's term for programs."""

    text: Line
    dpv: Literal[
        "AcademicResearch", "NonCommercialResearch", "CommercialResearch", "ResearchAndDevelopment"
    ] = "AcademicResearch"


class Ground(StrEnum):
    """Why emotion recognition at work or in education is not forbidden here."""

    MEDICAL = "medical"
    SAFETY = "safety"


class Attestation(Part):
    """Who answers for running where it is forbidden but for medical or safety reasons, and why."""

    ground: Ground
    by: Line
    why: Annotated[str, StringConstraints(min_length=20, max_length=2000)]
    on: date


class ConsentRules(Part):
    """How consent is asked for, and how long it holds.

    Attributes
    ----------
    expires_after_days
        A grant ends by itself after this time; None: it does not.
    guardians
        Whether a grant counts only once a guardian has agreed too: for minors, for example.
    grace_days
        How long a withdrawal without an answer waits before what it covers is erased.
    """

    expires_after_days: Days | None = None
    guardians: bool = False
    grace_days: Annotated[int, Field(ge=0, le=90)] = 7


class Retention(Part):
    """For how many days after their moment rows of a scope are kept; None: until they are erased."""

    affect_series: Days | None = None
    context: Days | None = None
    face_crops: Days | None = None
    raw_video: Days | None = None
    notes: Days | None = None
    prompts: Days | None = None
    personal_learning: Days | None = None

    def of(self, scope: Scope) -> int | None:
        """What the file says of one scope."""
        days: int | None = getattr(self, scope.value, None)
        return days


class Resolution(StrEnum):
    """To what a series is coarsened: one row a minute, or one an hour."""

    MINUTE = "minute"
    HOUR = "hour"


class Step(Part):
    """After how many days a series is kept only by the minute or the hour.

    30 days at least: a learner looks back that far.
    """

    after_days: Annotated[int, Field(ge=30, le=36_500)]
    to: Resolution


class Coarsening(Part):
    """How the series gets coarser as it ages. Only it is sampled; what people say is kept as they said it."""

    affect_series: tuple[Step, ...] = ()


class Aggregates(Part):
    """What differentially private figures may cost a participant in all, and of how many people they are at least."""

    epsilon: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    delta: Annotated[float, Field(ge=0, le=1e-4, allow_inf_nan=False)] = 1e-6
    min_people: Annotated[int, Field(ge=10, le=1_000_000)] = 10


class ExportRules(Part):
    """What exports may be made.

    Attributes
    ----------
    k
        Among how many people at least anybody hides in an export's table of participants.
    public
        Whether a dataset for everybody may be made, of those who grant export_public.
    """

    k: Annotated[int, Field(ge=2, le=10_000)] = 5
    public: bool = True


class CardWords(Part):
    """Other words on one card of the notice; what is not said stays as the software says it."""

    title: Line | None = None
    what: Line | None = None
    why: Line | None = None
    who: Line | None = None
    how_long: Line | None = None


class Words(Part):
    """The notice in one language. In any but English everything has to be said.

    `questions` are the study's own, by the name of their target: they are no part of the notice, and where one is
    missing it is asked as `[[targets]]` says.
    """

    title: Line | None = None
    preamble: Prose | None = None
    purposes: tuple[Line, ...] | None = None
    cards: Mapping[Scope, CardWords] = Field(default_factory=dict)
    questions: Mapping[str, Line] = Field(default_factory=dict)
