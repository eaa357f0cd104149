"""A study: everything its file says, and the rules that span its tables."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.consent import Scope
from tracker.domain.notice import CARDS, HELP_CONTACT, LANGUAGE, VERSION
from tracker.domain.schedules import Plan
from tracker.study import scheduling
from tracker.study.asking import AskingRules, Prompts
from tracker.study.deployment import ATTESTED, REFUSED, Deployment
from tracker.study.errors import StudyClosedError
from tracker.study.parts import (
    Aggregates,
    Attestation,
    CardWords,
    Coarsening,
    ConsentRules,
    Controller,
    ExportRules,
    Language,
    Line,
    Part,
    Purpose,
    Resolution,
    Retention,
    Words,
)
from tracker.study.rating import RatingRules

INHERITS: Mapping[Scope, tuple[Scope, ...]] = {
    Scope.FACE_CROPS: (Scope.AFFECT_SERIES,),
    Scope.NOTES: (Scope.AFFECT_SERIES,),
    Scope.PERSONAL_LEARNING: (Scope.AFFECT_SERIES,),
}
"""Whose rows hang on rows of which other scope, and so are kept no longer than those."""


class Study(Part):
    """One study.

    Attributes
    ----------
    id, title, version
        How it is called; the version changes with every change of the file.
    help_contact
        Whom participants ask; on every page.
    deployment_context
        Where it runs; some places are refused.
    controller, purposes
        Who answers for it, and what the data are used for.
    jurisdiction, storage, recipients
        Whose law holds, where the data lie and who receives them, for consent records.
    attestation
        Who answers for an exception, where the deployment needs one.
    consent, retention, coarsening, aggregates, export
        See `tracker.study.parts`.
    asking, prompts
        What is asked when, see `tracker.study.asking`; no prompts: nothing is asked by itself.
    rating
        How items are put before raters, see `tracker.study.rating`.
    languages
        The notice's own words, by language; empty: the software's English ones.
    closed
        Whether it takes in nothing new. ``affect-tracker study close`` sets it.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: Line
    version: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,32}$")]
    help_contact: Line
    deployment_context: Deployment
    controller: Controller
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=20)]
    jurisdiction: Line = "EU"
    storage: tuple[Line, ...] = ("the controller's own machine",)
    recipients: tuple[Line, ...] = ("the researchers of this study",)
    attestation: Attestation | None = None
    consent: ConsentRules = ConsentRules()
    retention: Retention = Retention()
    coarsening: Coarsening = Coarsening()
    aggregates: Aggregates = Aggregates()
    export: ExportRules = ExportRules()
    asking: AskingRules = AskingRules()
    prompts: Annotated[tuple[Prompts, ...], Field(max_length=20)] = ()
    rating: RatingRules = RatingRules()
    languages: Mapping[Language, Words] = Field(default_factory=dict)
    closed: bool = False

    def document(self) -> dict[str, Any]:
        """The study as JSON, every default said; without what is asked where nothing is.

        A study that was applied before there were prompts is the same study still.
        """
        said: dict[str, Any] = self.model_dump(mode="json")
        if not self.prompts and self.asking == AskingRules():
            del said["prompts"], said["asking"]
        if self.rating == RatingRules():
            del said["rating"]
        return said

    @property
    def sha256(self) -> str:
        """SHA-256 of `document`."""
        return hashlib.sha256(
            json.dumps(self.document(), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    @property
    def plan(self) -> Plan:
        """When its prompts fall due."""
        return scheduling.plan_of(self.id, self.asking, self.prompts)

    def demand_open(self, what: str) -> None:
        """Raise `StudyClosedError`, saying what cannot be done, when the study is closed."""
        if self.closed:
            raise StudyClosedError(what)

    def closing(self) -> Study:
        """The same study, closed."""
        return self.model_copy(update={"closed": True})

    @model_validator(mode="after")
    def _rules(self) -> Self:
        for kind, place, message in (
            *_deployment(self),
            *_attestation(self),
            *_coarsening(self),
            *_languages(self),
            *scheduling.problems(self.asking, self.prompts),
        ):
            # With its place, which a plain ValueError cannot carry: the reader finds the line by it.
            raise PydanticCustomError(kind, "{message}", {"place": place, "message": message})
        return self


_Problems = Iterator[tuple[str, tuple[str | int, ...], str]]


def _deployment(study: Study) -> _Problems:
    where = study.deployment_context
    if where in REFUSED:
        yield (
            "forbidden",
            ("deployment_context",),
            f"{where.value} is refused: this software is not for it, and no attestation changes that",
        )
    if where in ATTESTED and study.attestation is None:
        yield (
            "forbidden",
            ("deployment_context",),
            f"{where.value} is refused but for medical or safety reasons (EU AI Act, Art. 5(1)(f)); where that "
            "is so, say who answers for it: [attestation] ground, by, why, on",
        )


def _attestation(study: Study) -> _Problems:
    if study.attestation is not None and study.deployment_context not in ATTESTED:
        names = " or ".join(sorted(d.value for d in ATTESTED))
        yield (
            "rule",
            ("attestation",),
            f"there is nothing to attest for {study.deployment_context.value}, only for {names}; leave it out",
        )


def _coarsening(study: Study) -> _Problems:
    steps, place = study.coarsening.affect_series, ("coarsening", "affect_series")
    order = list(Resolution)
    for before, after in itertools.pairwise(steps):
        if after.after_days <= before.after_days or order.index(after.to) <= order.index(before.to):
            yield (
                "rule",
                place,
                f"{after.to.value} after {after.after_days} days follows {before.to.value} after "
                f"{before.after_days}; each step must come later than the one before it, and be coarser",
            )
    if not steps:
        return
    kept = study.retention.affect_series
    if kept is not None and kept <= steps[-1].after_days:
        yield (
            "rule",
            place,
            f"the series is erased after {kept} days, before it becomes one row per {steps[-1].to.value} after "
            f"{steps[-1].after_days}; keep it longer, or leave that step out",
        )
    crops = study.retention.face_crops
    if crops is None or crops > steps[0].after_days:
        yield (
            "rule",
            place,
            f"face pictures would hold on to moments that the series gives up after {steps[0].after_days} days; "
            f"say face_crops = {steps[0].after_days} in [retention], or less",
        )


def _languages(study: Study) -> _Problems:
    for language, words in study.languages.items():
        if language != LANGUAGE:
            yield from _whole(study, language, words)
        for scope, card in words.cards.items():
            days = days_of(study, scope)
            if card.how_long is not None and days is not None and str(days) not in card.how_long:
                yield (
                    "rule",
                    ("languages", language, "cards", scope.value, "how_long"),
                    f"what is shown must name the {days} days that [retention] allows",
                )
        ends = study.consent.expires_after_days
        if words.preamble is not None and ends is not None and str(ends) not in words.preamble:
            yield (
                "rule",
                ("languages", language, "preamble"),
                f"what is shown must name the {ends} days after which consent ends",
            )


def _whole(study: Study, language: str, words: Words) -> _Problems:
    missing = [name for name in ("title", "preamble", "purposes") if getattr(words, name) is None]
    if missing:
        yield (
            "rule",
            ("languages", language),
            f"{missing[0]} is missing; only English words come with the software, so say it in {language}",
        )
    if words.purposes is not None and len(words.purposes) != len(study.purposes):
        yield (
            "rule",
            ("languages", language, "purposes"),
            f"there are {len(words.purposes)}, but the study has {len(study.purposes)}; say each of them",
        )
    for card in CARDS:
        said = words.cards.get(card.scope, CardWords())
        gaps = [name for name, value in said if value is None]
        if gaps:
            yield (
                "rule",
                ("languages", language, "cards", card.scope.value),
                f"{gaps[0]} is missing; only English words come with the software, so say it in {language}",
            )


def days_of(study: Study, scope: Scope) -> int | None:
    """For how many days rows of a scope are kept, those included on which they hang; None: without end."""
    known = [study.retention.of(s) for s in (scope, *INHERITS.get(scope, ()))]
    return min((days for days in known if days is not None), default=None)


DEFAULT = Study(
    id="built-in",
    title="affect-tracker",
    version=VERSION,
    help_contact=HELP_CONTACT,
    deployment_context=Deployment.PRIVATE,
    controller=Controller(name="whoever runs this installation", contact=HELP_CONTACT),
    purposes=(Purpose(text="To see how one's own face looked over time.", dpv="NonCommercialResearch"),),
)
"""What stands where no study was applied: private use, no expiry, no retention but by erasure."""
